"""``manage.py backup_table TABLE... | --all [--to NAME|URL]``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups.backing_up.backup import backup
from backups.console import exits, moment, print_table, size
from backups.files.named_stores import store_at


class Command(BaseCommand):
    """Back up tables to Parquet, all of one snapshot."""

    help = "Back up tables to Parquet files, all of one snapshot, each verified."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("tables", nargs="*", metavar="TABLE", help="as in the database, or app.Model")
        parser.add_argument("--all", action="store_true", help="the tables of DATAFORGE_BACKUP_TABLES")
        parser.add_argument("--to", metavar="NAME|URL", help="a store of the settings, a folder or s3://bucket/prefix")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``backup``, print."""
        if bool(options["tables"]) == options["all"]:
            raise CommandError("Name the tables, or give --all.", returncode=2)
        with exits("nothing of this run was kept."):
            done = backup(None if options["all"] else options["tables"], store=store_at(options["to"]))
        rows = [[entry.table, f"{entry.rows:,}", size(entry.bytes), entry.path] for entry in done]
        print_table(self.stdout, ["table", "rows", "size", "file"], rows, numbers={"rows", "size"})
        self.stdout.write(
            f"One snapshot, {moment(done[0].snapshot_at)}; each file was read back and compared with the table."
        )
