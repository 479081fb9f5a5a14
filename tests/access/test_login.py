"""Logging in: attempts are bounded, and the bound keeps nobody out for ever."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access import login
from access.models import Counter

pytestmark = pytest.mark.django_db
PATH = "/admin/login/"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def ana() -> User:
    return User.objects.create_user("ana", password=PASSWORD, is_staff=True)


def attempt(client: Client, name: str = "ana", password: str = "wrong", **options: Any) -> Any:
    """Send the form."""
    return client.post(PATH, {"username": name, "password": password}, secure=True, **options)


def statuses(client: Client, count: int, **options: Any) -> list[int]:
    """Try so often, and return the statuses."""
    return [attempt(client, **options).status_code for _ in range(count)]


def test_after_some_attempts_even_the_right_password_has_to_wait_and_is_told_how_long() -> None:
    client = Client()
    assert statuses(client, login.PER_ACCOUNT_AND_ADDRESS) == [200] * login.PER_ACCOUNT_AND_ADDRESS
    answer = attempt(client, password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= login.MINUTES * 60
    assert "Too many attempts. Try again in" in answer.content.decode()
    assert "sessionid" not in client.cookies


def test_a_name_that_does_not_exist_is_answered_like_one_that_does() -> None:
    known, unknown = Client(), Client()
    shown = [(attempt(known), attempt(unknown, name="nobody")) for _ in range(login.PER_ACCOUNT_AND_ADDRESS + 1)]
    for one, other in shown:
        assert one.status_code == other.status_code
        errors = [answer.context["form"].non_field_errors() for answer in (one, other)]
        assert errors[0] == errors[1]


def test_other_spellings_of_a_name_are_the_same_account() -> None:
    client = Client()
    statuses(client, login.PER_ACCOUNT_AND_ADDRESS)
    assert attempt(client, name="ANA").status_code == 429


def test_whoever_guesses_from_one_place_locks_out_nobody_elsewhere() -> None:
    statuses(Client(REMOTE_ADDR="10.0.0.1"), login.PER_ACCOUNT_AND_ADDRESS + 3)
    assert attempt(Client(REMOTE_ADDR="10.0.0.2"), password=PASSWORD).status_code == 302


def test_guessing_from_everywhere_is_bounded_but_a_known_browser_still_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_ACCOUNT", 3)
    mine = Client()
    assert attempt(mine, password=PASSWORD).status_code == 302
    assert statuses(Client(REMOTE_ADDR="10.0.0.1"), 3) == [200, 200, 200]
    assert attempt(Client(REMOTE_ADDR="10.0.0.2")).status_code == 429
    mine.post("/admin/logout/", secure=True)
    assert attempt(mine, password=PASSWORD).status_code == 302
    assert attempt(Client(REMOTE_ADDR="10.0.0.3"), password=PASSWORD).status_code == 429


def test_a_known_browser_is_bounded_too_and_known_for_its_own_account_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_KNOWN_BROWSER", 2)
    mine = Client()
    attempt(mine, password=PASSWORD)
    assert statuses(mine, 3) == [200, 200, 429]
    assert statuses(mine, login.PER_ACCOUNT_AND_ADDRESS + 1, name="bob")[-1] == 429
    forged = Client()
    forged.cookies[login.COOKIE] = mine.cookies[login.COOKIE].value + "x"
    assert statuses(forged, login.PER_ACCOUNT_AND_ADDRESS + 1)[-1] == 429


def test_one_address_cannot_try_name_after_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PER_ADDRESS", 4)
    client = Client(REMOTE_ADDR="2001:db8::1")
    assert [attempt(client, name=f"name{number}").status_code for number in range(4)] == [200] * 4
    neighbour = Client(REMOTE_ADDR="2001:db8::ffff:2")  # of the same network, which is one customer's
    assert attempt(neighbour, name="another").status_code == 429


def test_clients_of_one_protocol_are_not_one_customer_where_they_come_by_the_other() -> None:
    statuses(Client(REMOTE_ADDR="::ffff:10.0.0.1"), login.PER_ACCOUNT_AND_ADDRESS)
    assert attempt(Client(REMOTE_ADDR="::ffff:10.0.0.2"), password=PASSWORD).status_code == 302
    assert attempt(Client(REMOTE_ADDR="10.0.0.1"), password=PASSWORD).status_code == 429


@pytest.mark.parametrize("told", ["10.0.0.1:{}", "[2001:db8::1]:{}", "2001:db8::{}", "::ffff:10.0.0.1"])
def test_no_spelling_of_an_address_has_an_allowance_of_its_own(settings: Any, told: str) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    tried = [attempt(Client(headers={"x-forwarded-for": told.format(1000 + n)})).status_code for n in range(6)]
    assert tried == [200] * 5 + [429]


def test_a_success_gives_the_attempts_before_it_back() -> None:
    client = Client()
    for _ in range(3):
        statuses(client, login.PER_ACCOUNT_AND_ADDRESS - 1)
        assert attempt(Client(), password=PASSWORD).status_code == 302


def test_nothing_that_was_typed_is_kept_and_the_cookie_is_out_of_reach_of_scripts(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    attempt(client, name="my password in the wrong field")
    assert not any("password" in key for key in Counter.objects.values_list("key", flat=True))
    attempt(client, password=PASSWORD)
    cookie = client.cookies[login.COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["path"]) == (True, True, PATH)
    assert "ana" not in cookie.value
