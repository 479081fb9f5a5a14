"""Those who use backups over HTTP and in the admin."""

from django.contrib.auth.models import User

from access.tokens import create_token
from tests.support.access import people
from tests.support.api.client import ApiClient

EVERYTHING = ("add_backup", "view_backup", "verify_backup", "restore_backup", "view_restore")


def person(*rights: str, superuser: bool = False, staff: bool = True, name: str = "ana") -> User:
    """Return a new user with rights to models of backups."""
    return people.person(name, *(f"backups.{right}" for right in rights), superuser=superuser, staff=staff)


def caller(user: User) -> ApiClient:
    """Make a token for a user."""
    return ApiClient(create_token(user, name="test", expires=None))
