"""``manage.py create_token USER``: a token of the HTTP API, printed once."""

import argparse
import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from access.tokens import DEFAULT_DAYS, create_token

EXIT_REFUSED = 1


class Command(BaseCommand):
    """Make a token of the HTTP API and print it; only its hash is kept."""

    help = "Make a token of the HTTP API and print it; only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("user", metavar="USER", help="the name of the user whose rights it has")
        parser.add_argument("--name", default="default", help="what it is for (default: %(default)s)")
        parser.add_argument(
            "--expires",
            type=_end,
            default=f"{DEFAULT_DAYS}d",
            metavar="90d|2027-01-31|never",
            help="until when it holds (default: %(default)s)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find the user, make the token, print it."""
        model = get_user_model()
        user = model._default_manager.filter(**{model.USERNAME_FIELD: options["user"]}).first()
        if user is None:
            raise CommandError(
                f"There is no user {options['user']!r}: make one in the admin, or by manage.py createsuperuser.",
                returncode=EXIT_REFUSED,
            )
        try:
            token = create_token(user, name=options["name"], expires=options["expires"])
        except IntegrityError as error:
            raise CommandError(
                f"{options['user']} has a token named {options['name']!r} already: give --name, or revoke that one.",
                returncode=EXIT_REFUSED,
            ) from error
        self.stdout.write(token)


def _end(text: str) -> datetime.datetime | None:
    if text == "never":
        return None
    days = text.removesuffix("d")
    if text.endswith("d") and days.isascii() and days.isdigit() and 0 < len(days) <= 5:
        return timezone.now() + datetime.timedelta(days=int(days))
    try:
        end = timezone.make_aware(datetime.datetime.combine(datetime.date.fromisoformat(text), datetime.time.max))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither days (90d), nor a day (2027-01-31), nor never"
        ) from error
    if end <= timezone.now():
        raise argparse.ArgumentTypeError(f"{text} has passed already")
    return end
