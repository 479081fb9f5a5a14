"""``manage.py verify_backup PATH... | PREFIX... | --all [--drill]``."""

import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backups.backing_up.verify import verify
from backups.catalogue.scan import known_paths, paths_in
from backups.console import EXIT_REFUSED, exits, size
from backups.files.named_stores import store_at
from core.errors import (
    BackupDamaged,
    BackupRefused,
    DatabaseFailed,
    DatabaseUnavailable,
    EmbeddedPostgresFailed,
    SourceUnreadable,
)

_OF_FILES = (".parquet", ".json")


class Command(BaseCommand):
    """Check that backups are what was written."""

    help = "Check that backups are what was written; without --all and --drill no database is needed."
    requires_system_checks = ()  # some of them ask the database for its version

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("paths", nargs="*", metavar="PATH|PREFIX", help="a file, or a place: all in it")
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
            for path in known_paths() if options["all"] else _files(options["paths"]):
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


def _files(named: list[str]) -> Iterator[str]:
    """Yield the files that are meant: each that is named, and all below a folder, a prefix or a store's name."""
    for path in named:
        if path.endswith(_OF_FILES):
            yield path
        else:
            yield from paths_in(store_at(path))
