"""``manage.py prune_backups [--yes]``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backups.catalogue.prune import prune
from backups.console import exits


class Command(BaseCommand):
    """Remove the backups that no schedule keeps."""

    help = "Say which backups no schedule keeps any more, and with --yes remove them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--yes", action="store_true", help="remove them")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``prune``, print."""
        with exits("what was removed before is gone."):
            prunable = prune(yes=options["yes"])
        for file in prunable:
            self.stdout.write(f"{'removed' if options['yes'] else 'would remove'} {file.path} ({file.why})")
        ending = "" if options["yes"] or not prunable else " Nothing was removed: --yes does it."
        self.stdout.write(f"{len(prunable)} files.{ending}")
