"""Whoever asks for backups over HTTP."""

import pytest

from tests.support.api.client import ApiClient
from tests.support.backups.people import EVERYTHING, caller, person


@pytest.fixture
def ana(committed: None) -> ApiClient:
    """A member of staff with all rights to backups."""
    return caller(person(*EVERYTHING))
