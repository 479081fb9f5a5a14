"""The database as an older version left it."""

from django.core.management import call_command


def migrate(*arguments: str) -> None:
    """Migrate, without a word."""
    call_command("migrate", *arguments, verbosity=0)
