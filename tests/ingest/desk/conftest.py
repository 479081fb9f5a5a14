"""Who works at the desk."""

import pytest
from django.test import Client

from tests.support.access.people import browser
from tests.support.desk.people import staff


@pytest.fixture
def ana() -> Client:
    """The browser of a member of staff who may do everything."""
    return browser(staff("ana", superuser=True))
