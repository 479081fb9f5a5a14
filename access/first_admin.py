"""The first person who may do everything: without one, nobody could log in to make others."""

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password

PASSWORD_BYTES = 15


@dataclass(frozen=True, kw_only=True)
class FirstAdmin:
    """Who was made. ``password`` is empty where the caller gave one, else to be shown once."""

    name: str
    password: str


def create_first_admin(*, name: str, password: str = "") -> FirstAdmin | None:
    """Make a superuser where there is none, with a random password where none is given; None where there is one.

    Raises ValidationError where the password is too weak, IntegrityError where the name is taken.
    """
    model = get_user_model()
    if model._default_manager.filter(is_superuser=True).exists():
        return None
    made = "" if password else secrets.token_urlsafe(PASSWORD_BYTES)
    if password:
        validate_password(password, model(**{model.USERNAME_FIELD: name}))
    model._default_manager.create_superuser(name, password=password or made)
    return FirstAdmin(name=name, password=made)
