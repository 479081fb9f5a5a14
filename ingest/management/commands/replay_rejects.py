"""``manage.py replay_rejects``: replay rejects whose cause may be gone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.postgres.explain_errors import explained
from ingest.replaying.heal import sweep
from ingest.rules.sources import sources


class Command(BaseCommand):
    """Replay rejects whose missing parents have come; with --code, all open rejects with that code."""

    help = "Replay rejects whose missing parents have come; with --code, all open rejects with that code."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument(
            "--table", choices=[source.table for source in sources()], help="only rejects of this table"
        )
        parser.add_argument("--code", help="all open rejects that have this code, such as does_not_exist")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Call ``sweep`` and say what came of it."""
        with explained("the replay"):
            tried, closed = sweep(table=options["table"], code=options["code"])
        self.stdout.write(f"{tried:,} rejects replayed: {closed:,} accepted, {tried - closed:,} still open.")
