"""Making the service's own role and database with the server's master user."""

import pytest

from core.errors import DatabaseUnavailable
from dataforge.prepare_database import prepare


def test_a_server_that_does_not_answer_is_said_in_the_time_that_its_address_allows() -> None:
    database = {"HOST": "127.0.0.1", "PORT": "1", "USER": "forge", "NAME": "forge", "PASSWORD": "secret"}
    with pytest.raises(DatabaseUnavailable, match=r"Connection refused.*DATABASE_MASTER_USER"):
        prepare({**database, "OPTIONS": {"connect_timeout": 2}}, master_user="postgres", master_password="secret")
