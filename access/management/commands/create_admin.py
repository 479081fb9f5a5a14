"""``manage.py create_admin``: the first superuser, without a question."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from access.first_admin import create_first_admin

EXIT_REFUSED = 1


class Command(BaseCommand):
    """Make a superuser where there is none."""

    help = "Make a superuser where there is none. The password is ADMIN_PASSWORD, or made up and printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("--name", default="admin", help="how the superuser is called (default: %(default)s)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Call ``create_first_admin``, print."""
        try:
            admin = create_first_admin(name=options["name"], password=settings.ADMIN_PASSWORD)
        except ValidationError as error:
            raise CommandError(f"ADMIN_PASSWORD: {' '.join(error.messages)}", returncode=EXIT_REFUSED) from error
        except IntegrityError as error:
            raise CommandError(
                f"There is a user {options['name']} who is no superuser: give --name.", returncode=EXIT_REFUSED
            ) from error
        if admin is None:
            self.stdout.write("There is a superuser already.")
        elif admin.password:
            self.stdout.write(f"Made the superuser {admin.name}. Password, shown this once: {admin.password}")
        else:
            self.stdout.write(f"Made the superuser {admin.name}, with the password of ADMIN_PASSWORD.")
