"""Changing one's password is no way to guess it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from access.password_change import PER_ACCOUNT
from tests.support.access.people import browser, person

pytestmark = pytest.mark.django_db
PAGE, OLD, NEW = "/admin/password_change/", "correct horse", "Kwx-81-lpo"


@pytest.fixture(autouse=True)
def ana() -> User:
    return person("ana", password=OLD)


def tried(client: Client, old: str = "wrong") -> Any:
    """Send the form."""
    return client.post(PAGE, {"old_password": old, "new_password1": NEW, "new_password2": NEW}, secure=True)


def test_a_session_is_no_way_to_guess_the_password(ana: User) -> None:
    client = browser(ana)
    assert [tried(client).status_code for _ in range(PER_ACCOUNT + 1)] == [200] * PER_ACCOUNT + [429]
    answer = tried(client, OLD)
    assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 900) == (429, True)
    assert "Too many attempts. Try again in" in answer.content.decode()
    ana.refresh_from_db()
    assert ana.check_password(OLD)


def test_another_session_of_the_same_person_has_no_further_attempts(ana: User) -> None:
    for _ in range(PER_ACCOUNT):
        tried(browser(ana))
    assert tried(browser(ana)).status_code == 429


def test_guessing_there_keeps_nobody_from_logging_in(ana: User) -> None:
    for _ in range(PER_ACCOUNT + 1):
        tried(browser(ana))
    assert Client().post("/admin/login/", {"username": "ana", "password": OLD}, secure=True).status_code == 302


def test_who_knows_the_password_changes_it_and_is_counted_anew(ana: User) -> None:
    client = browser(ana)
    for _ in range(PER_ACCOUNT - 1):
        tried(client)
    assert tried(client, OLD).status_code == 302
    assert tried(client).status_code == 200


def test_an_administrator_lifts_the_bound(ana: User) -> None:
    client = browser(ana)
    for _ in range(PER_ACCOUNT):
        tried(client)
    call_command("unlock_login", "ana")
    assert tried(client, OLD).status_code == 302
