"""``manage.py tend_rejects [--loop]``: what must happen to rejects by itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.loops import GoOn, run_for_ever
from ingest.chores import tend


class Command(BaseCommand):
    """Do what is due: heal orphans, let old closed rejects go, take up bulk jobs again whose worker died."""

    help = (
        "Do what is due: heal orphans (every 10 minutes), let closed rejects go that are older than REJECTS_KEPT_DAYS "
        "(daily), take up bulk jobs again whose worker died, say of tasks whose worker died that they failed, and let "
        "results of tasks go that are older than TASK_RESULTS_KEPT_DAYS (daily). Any number of these may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--loop", action="store_true", help="for ever, until it is stopped")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Call ``tend`` and print what it did."""
        if options["loop"]:
            run_for_ever(self._tend, self.stderr)
        self._tend()

    def _tend(self, go_on: GoOn = lambda: True) -> None:
        for line in tend(go_on=go_on):
            self.stdout.write(line)
            self.stdout.flush()
