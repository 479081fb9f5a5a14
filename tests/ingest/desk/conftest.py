"""Who works at the desk."""

from typing import Any

import pytest
from django.test import Client

from tests.support.access.people import browser
from tests.support.desk.people import staff


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    """Hash passwords in no time; a second each otherwise."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ana() -> Client:
    """The browser of a member of staff who may do everything."""
    return browser(staff("ana", superuser=True))
