"""``manage.py prune_rejects``: let closed rejects go that are old."""

import argparse
import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.postgres.explain_errors import explained
from ingest.rejects.prune import CLOSED, kept_for, prune


class Command(BaseCommand):
    """Delete rejects that were closed long ago; says what it would do, unless --yes."""

    help = "Delete rejects that were closed long ago; says what it would do, unless --yes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--older-than", type=_days, metavar="180d", help="default: the setting REJECTS_KEPT_DAYS")
        parser.add_argument("--status", action="append", choices=list(CLOSED), help="only these (repeat it)")
        parser.add_argument("--yes", action="store_true", help="really delete")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Call ``prune`` and say what it did."""
        age = kept_for() if options["older_than"] is None else options["older_than"]
        statuses = options["status"] or CLOSED
        with explained("the pruning of rejects"):
            done = prune(older_than=age, statuses=statuses, really=options["yes"])
        told = ", ".join(f"{count:,} {status}" for status, count in done.counts.items())
        verb = "deleted" if options["yes"] else "would be deleted (give --yes)"
        self.stdout.write(f"Rejects closed before {done.before:%Y-%m-%d %H:%M} UTC {verb}: {told}.")


def _days(text: str) -> timedelta:
    if not re.fullmatch(r"[0-9]{1,5}d", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days: write 180d")
    return timedelta(days=int(text[:-1]))
