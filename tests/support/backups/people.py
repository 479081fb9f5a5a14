"""Those who use backups over HTTP and in the admin."""

from django.contrib.auth.models import Permission, User
from django.test import Client

from access.tokens import create_token
from tests.support.api.client import ApiClient

EVERYTHING = ("add_backup", "view_backup", "verify_backup", "restore_backup", "view_restore")


def person(*rights: str, superuser: bool = False, staff: bool = True, name: str = "ana") -> User:
    """Return a new user with rights to models of backups."""
    user = User.objects.create_user(name, is_superuser=superuser, is_staff=staff)
    for right in rights:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="backups", codename=right))
    return user


def caller(user: User) -> ApiClient:
    """Make a token for a user."""
    return ApiClient(create_token(user, name="test", expires=None))


def browser(user: User) -> Client:
    """Sign a user in."""
    client = Client()
    client.force_login(user)
    return client
