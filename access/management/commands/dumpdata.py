"""``manage.py dumpdata``: Django's, with words for what the database lacks."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import dumpdata

from core.errors import DataForgeError
from core.postgres.explain_errors import explained


class Command(dumpdata.Command):
    """Write all rows of all tables, or of some, into one file."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        """Dump; Django's own makes one error of whatever went wrong."""
        try:
            with explained("the dump"):
                super().handle(*app_labels, **{**options, "traceback": True})
        except DataForgeError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error
        except (CommandError, BrokenPipeError):
            raise
        except Exception as error:
            if options["traceback"]:
                raise
            raise CommandError(f"Unable to serialize database: {error}") from error
