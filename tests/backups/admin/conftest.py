"""Who works in the admin of backups."""

import pytest
from django.test import Client

from tests.support.access.people import browser
from tests.support.backups.people import EVERYTHING, person


@pytest.fixture
def ana(committed: None) -> Client:
    """A member of staff with all rights."""
    return browser(person(*EVERYTHING, "add_backupschedule", "change_backupschedule", "view_backupschedule"))
