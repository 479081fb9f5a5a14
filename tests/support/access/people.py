"""Users with rights, and browsers in which they are signed in."""

from django.contrib.auth.models import Permission, User
from django.test import Client


def person(
    name: str = "ana", *rights: str, superuser: bool = False, staff: bool = True, password: str | None = None
) -> User:
    """Return a new user with rights named ``app.codename``; without a password nobody can sign in by the form."""
    user = User.objects.create_user(name, password=password, is_staff=staff, is_superuser=superuser)
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def browser(user: User) -> Client:
    """Return a client in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    return client
