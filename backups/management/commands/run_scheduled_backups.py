"""``manage.py run_scheduled_backups [--loop]``."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backups.console import EXIT_REFUSED, exits, moment
from backups.schedules.run_due import ailing, run_due
from core.loops import GoOn, run_for_ever


class Command(BaseCommand):
    """Run the schedules that are due."""

    help = "Run the backup schedules that are due; exit 1 where a schedule failed, was missed or cannot run."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--loop", action="store_true", help="for ever, until it is stopped")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``run_due``, print."""
        with exits("a backup that was at work was not kept."):
            if options["loop"]:
                run_for_ever(self._run, self.stderr)
            self._run()
            wrong = ailing()
        for line in wrong:
            self.stderr.write(line)
        if wrong:
            sys.exit(EXIT_REFUSED)

    def _run(self, go_on: GoOn = lambda: True) -> None:
        for done in run_due(go_on=go_on):
            if done.error:
                self.stderr.write(f"{done.name}: {done.error}")
            else:
                pruned = f", {done.pruned} older backups removed" if done.pruned else ""
                self.stdout.write(f"{done.name}: {done.tables} tables backed up (due {moment(done.due_at)}){pruned}")
