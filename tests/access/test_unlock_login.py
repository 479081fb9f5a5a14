"""Locked out, and let in again: right logins use nobody's allowance up, and an administrator lifts a lock-out."""

import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from access import login

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def ana() -> User:
    return User.objects.create_user("ana", password=PASSWORD, is_staff=True)


def attempt(password: str = "wrong", *, name: str = "ana", address: str = "10.0.0.1") -> Any:
    """Log in from a browser that nobody logged in from before."""
    sent = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/", sent, secure=True)


def lock_out(address: str = "10.0.0.1") -> None:
    """Guess until even the right password is refused."""
    for _ in range(login.PER_ACCOUNT_AND_ADDRESS):
        attempt(address=address)
    assert attempt(PASSWORD, address=address).status_code == 429


def unlock(*arguments: str) -> str:
    out = io.StringIO()
    call_command("unlock_login", *arguments, stdout=out)
    return out.getvalue()


def test_right_logins_from_one_office_use_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_ADDRESS", 3)
    monkeypatch.setattr(login, "PER_ACCOUNT", 3)
    assert [attempt(PASSWORD).status_code for _ in range(8)] == [302] * 8


def test_wrong_logins_between_right_ones_are_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_ADDRESS", 3)
    for name in ("eva", "udo", "ida"):
        attempt(name=name)
        attempt(PASSWORD)
    assert attempt(name="otto").status_code == 429


def test_the_page_says_who_lets_one_in_again_and_how() -> None:
    lock_out()
    assert "ask whoever runs this site: `manage.py unlock_login NAME`" in attempt().content.decode()


def test_an_account_is_unlocked_by_its_name_in_any_spelling() -> None:
    lock_out()
    assert "forgotten" in unlock(" ANA ")
    assert attempt(PASSWORD).status_code == 302


def test_an_address_is_unlocked_and_no_other() -> None:
    lock_out("10.0.0.1")
    lock_out("10.0.0.2")
    unlock("--address", "10.0.0.1")
    assert (attempt(PASSWORD, address="10.0.0.1").status_code, attempt(PASSWORD, address="10.0.0.2").status_code) == (
        302,
        429,
    )


def test_who_is_locked_out_by_their_address_is_told_what_lets_them_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_ADDRESS", 2)
    attempt(name="eva"), attempt(name="udo")
    told = re.search(r"`manage.py unlock_login (.+)`", attempt(PASSWORD).content.decode())
    assert told
    unlock(*told[1].split())
    assert attempt(PASSWORD).status_code == 302


@pytest.mark.parametrize("named", ["2001:db8::7", "2001:DB8:0::/64", "2001:db8::/64"])
def test_a_network_is_unlocked_by_any_of_its_spellings(named: str) -> None:
    lock_out("2001:db8::1")
    assert "forgotten" in unlock("--address", named)
    assert attempt(PASSWORD, address="2001:db8::1").status_code == 302


def test_nothing_to_unlock_is_said() -> None:
    assert unlock("nobody") == "Nothing was counted against that.\n"


def test_unlocking_nobody_is_wrong_use() -> None:
    with pytest.raises(CommandError, match="Name a user, or give --address"):
        unlock()
