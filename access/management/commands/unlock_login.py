"""``manage.py unlock_login NAME``: lets somebody log in again after too many attempts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from access.login import unlock

EXIT_WRONG_USE = 2


class Command(BaseCommand):
    """Forget the attempts to log in that were counted against an account or an address."""

    help = "Forget the attempts to log in that were counted against an account or an address."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("name", metavar="NAME", nargs="?", default="", help="the user who is locked out")
        parser.add_argument("--address", default="", help="the address that is, of IPv6 its /64: 2001:db8::/64")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Forget, and say what."""
        if not options["name"] and not options["address"]:
            raise CommandError("Name a user, or give --address.", returncode=EXIT_WRONG_USE)
        counters = unlock(options["name"], address=options["address"])
        self.stdout.write(f"{counters} counters forgotten." if counters else "Nothing was counted against that.")
