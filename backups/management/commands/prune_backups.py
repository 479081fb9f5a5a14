"""``manage.py prune_backups [--dry-run | --yes]``."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backups.catalogue.prune import prune
from backups.console import exits
from core.errors import SourceUnreadable


class Command(BaseCommand):
    """Remove the backups that no schedule keeps, and what killed processes left."""

    help = "Say which backups no schedule keeps any more, and what killed processes left, and with --yes remove it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--dry-run", action="store_true", help="only say what would go, as without --yes")
        either.add_argument("--yes", action="store_true", help="remove it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``prune``, print."""
        faults: list[SourceUnreadable] = []
        with exits("what was removed before is gone."):
            prunable = prune(yes=options["yes"], on_fault=faults.append)
        for file in prunable:
            self.stdout.write(f"{'removed' if options['yes'] else 'would remove'} {file.path} ({file.why})")
        ending = "" if options["yes"] or not prunable else " Nothing was removed: --yes does it."
        self.stdout.write(f"{len(prunable)} files.{ending}")
        for fault in faults:
            self.stderr.write(str(fault))
        if faults:
            sys.exit(SourceUnreadable.exit_code)
