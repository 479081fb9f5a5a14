"""``manage.py tend_rejects [--loop]``: what must happen to rejects by itself."""

import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from dataforge.errors import DataForgeError
from ingest.tending import tend

POLL_SECONDS = 20


class Command(BaseCommand):
    """Do what is due: heal orphans, let old closed rejects go, take up bulk jobs again whose worker died."""

    help = (
        "Do what is due: heal orphans (every 10 minutes), let closed rejects go that are older than REJECTS_KEPT_DAYS "
        "(daily), take up bulk jobs again whose worker died. Any number of these may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--loop", action="store_true", help="for ever, until it is stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        """Call ``tend`` and print what it did."""
        del args
        if options["loop"]:
            self._loop()
        self._tend()

    def _tend(self) -> None:
        for line in tend():
            self.stdout.write(line)
            self.stdout.flush()

    def _loop(self) -> None:
        signal.signal(signal.SIGTERM, _stop)
        while True:
            try:
                self._tend()
            except DataForgeError as error:  # the server may come back
                self.stderr.write(str(error))
            connection.close()
            time.sleep(POLL_SECONDS)


def _stop(number: int, frame: FrameType | None) -> None:
    """Let SIGTERM end the loop as Ctrl-C does: what is at work is taken back."""
    del number, frame
    raise KeyboardInterrupt
