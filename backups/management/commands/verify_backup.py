"""``manage.py verify_backup PATH... | --all [--drill]``."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups.backing_up.verify import verify
from backups.catalogue.scan import known_paths
from backups.console import EXIT_REFUSED, exits, size
from core.errors import (
    BackupDamaged,
    BackupRefused,
    DatabaseFailed,
    DatabaseUnavailable,
    EmbeddedPostgresFailed,
    SourceUnreadable,
)


class Command(BaseCommand):
    """Check that backups are what was written."""

    help = "Check that backups are what was written; without --all and --drill no database is needed."
    requires_system_checks = ()  # some of them ask the database for its version

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="a .parquet file: a path or an s3:// address")
        parser.add_argument(
            "--all", action="store_true", help="all of the catalogue, or of the stores if there is no database"
        )
        parser.add_argument("--drill", action="store_true", help="also restore each into a scratch table and compare")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``verify`` for each, print."""
        if bool(options["paths"]) == options["all"]:
            raise CommandError("Name backup files, or give --all.", returncode=2)
        failed = False
        with exits("what was checked before is noted."):
            for path in known_paths() if options["all"] else options["paths"]:
                failed |= not self._verify(path, drill=options["drill"])
        if failed:
            sys.exit(EXIT_REFUSED)

    def _verify(self, path: str, *, drill: bool) -> bool:
        try:
            try:
                done = verify(path, drill=drill)
            except (DatabaseUnavailable, DatabaseFailed, EmbeddedPostgresFailed):
                if drill:
                    raise
                done = verify(path, catalogue=False)
        except (BackupDamaged, BackupRefused, SourceUnreadable) as error:
            self.stderr.write(str(error))
            return False
        what = "whole, and PostgreSQL restores it" if done.drilled else "whole"
        self.stdout.write(f"{done.path}: {what} ({done.table}, {done.rows:,} rows, {size(done.bytes)})")
        return True
