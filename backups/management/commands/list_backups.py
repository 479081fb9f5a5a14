"""``manage.py list_backups [TABLE...] [--scan [NAME|URL]]``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backups.catalogue.scan import listed, scan
from backups.console import exits, moment, print_table, size
from backups.files.named_stores import store_at

RUN_DIGITS = 8  # by which `restore_table --run` knows it


class Command(BaseCommand):
    """List the finished backups."""

    help = "List the finished backups, the newest of each table first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("tables", nargs="*", metavar="TABLE", help="only of these tables")
        parser.add_argument(
            "--scan",
            nargs="?",
            const="",
            metavar="NAME|URL",
            help="first enter what lies there (default: BACKUP_STORE) and the catalogue does not know",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``scan`` and ``listed``, print."""
        with exits("the catalogue is as it was."):
            if options["scan"] is not None:
                report = scan(store_at(options["scan"] or None))
                self.stdout.write(f"{report.manifests} manifests, {report.added} of them new to the catalogue.")
                for problem in report.unreadable:
                    self.stderr.write(problem)
            rows = [
                [
                    entry.table,
                    moment(entry.snapshot_at),
                    f"{entry.rows:,}",
                    size(entry.bytes),
                    entry.origin,
                    str(entry.run)[:RUN_DIGITS],
                    moment(entry.verified_at) or "not yet",
                    moment(entry.drilled_at) or "not yet",
                    entry.path,
                ]
                for entry in listed(options["tables"])
            ]
        headers = ["table", "snapshot", "rows", "size", "origin", "run", "verified", "drilled", "file"]
        print_table(self.stdout, headers, rows, numbers={"rows", "size"})
