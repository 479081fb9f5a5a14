"""Tokens: made once, known by their hash alone, and the one way in."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from access.models import Token
from access.tokens import create_token, find_token
from tests.support.api.client import ApiClient

pytestmark = pytest.mark.django_db
PATH = "/api/v1/batches/"


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana")


def command(*arguments: str) -> str:
    """Run `manage.py create_token` and return what it printed."""
    out = io.StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue()


def test_a_token_opens_the_door_and_is_nowhere_in_the_database(ana: User) -> None:
    token = create_token(ana, name="till", expires=None)
    assert ApiClient(token).get(PATH).status == 200
    (row,) = Token.objects.all()
    assert token not in {str(getattr(row, field.attname)) for field in Token._meta.concrete_fields}
    assert len(token) == 64


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "ã" * 64, "a b", "\x00", "0" * 100_000])
def test_a_token_that_is_none_is_refused_in_words(ana: User, token: str) -> None:
    create_token(ana, name="till", expires=None)
    answer = ApiClient(token).get(PATH)
    assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_without_a_token_nothing_is_answered(ana: User) -> None:
    assert ApiClient(None).get(PATH).status == 401
    assert ApiClient(None).post({"table": "orders", "records": [{}]}).status == 401


@pytest.fixture
def token(ana: User) -> str:
    """A token of hers for another minute."""
    return create_token(ana, name="till", expires=timezone.now() + timedelta(minutes=1))


def test_a_token_opens_the_door_until_it_expires(token: str) -> None:
    assert ApiClient(token).get(PATH).status == 200


def test_an_expired_token_is_refused(token: str) -> None:
    Token.objects.update(expiry=timezone.now())
    assert ApiClient(token).get(PATH).status == 401


def test_the_token_of_an_inactive_user_is_refused(token: str) -> None:
    Token.objects.update(expiry=None)
    User.objects.update(is_active=False)
    assert ApiClient(token).get(PATH).status == 401


def test_the_token_of_a_user_who_is_active_again_opens_the_door(token: str) -> None:
    User.objects.update(is_active=False)
    ApiClient(token).get(PATH)
    User.objects.update(is_active=True)
    assert ApiClient(token).get(PATH).status == 200


def test_a_revoked_token_is_refused(token: str) -> None:
    Token.objects.all().delete()
    assert ApiClient(token).get(PATH).status == 401


def test_the_command_prints_a_token_and_nothing_else(ana: User) -> None:
    printed = command("ana", "--name", "till 7", "--expires", "90d")
    row = find_token(printed.strip())
    assert row is not None
    assert (printed.count("\n"), row.user, row.name) == (1, ana, "till 7")
    assert row.expiry is not None
    assert timedelta(days=89) < row.expiry - timezone.now() < timedelta(days=91)


@pytest.mark.parametrize(("expires", "years"), [("never", None), ("2999-12-31", 2999)])
def test_the_command_takes_a_day_or_no_end(ana: User, expires: str, years: int | None) -> None:
    row = find_token(command("ana", "--expires", expires).strip())
    assert row is not None
    end: Any = row.expiry
    assert (end and timezone.localtime(end).year) == years


@pytest.mark.parametrize("arguments", [("nobody",), ("ana", "--name", "taken"), ("ana", "--expires", "2001-01-01")])
def test_the_command_says_what_is_wrong(ana: User, arguments: tuple[str, ...]) -> None:
    create_token(ana, name="taken", expires=None)
    with pytest.raises(CommandError, match=r"no user 'nobody'|named 'taken' already|has passed already"):
        command(*arguments)
    assert Token.objects.count() == 1


@pytest.fixture
def root() -> Client:
    """The browser of a superuser."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    return browser


@pytest.fixture
def shown(ana: User, root: Client) -> str:
    """A token of hers, as the admin shows it when it is made there."""
    form = {"user": ana.pk, "name": "till", "expiry_0": "2999-12-31", "expiry_1": "00:00:00"}
    page = root.post("/admin/access/token/add/", form, follow=True, secure=True).content.decode()
    return page.split("shown only now: ")[1][:64]


def row_of(token: str) -> Token:
    row = find_token(token)
    assert row is not None
    return row


def test_a_token_made_in_the_admin_is_shown_there(ana: User, shown: str) -> None:
    row = row_of(shown)
    assert (row.user, row.name) == (ana, "till")


def test_the_list_in_the_admin_shows_no_token(root: Client, shown: str) -> None:
    assert shown not in root.get("/admin/access/token/", secure=True).content.decode()


def test_the_page_of_a_token_in_the_admin_does_not_show_it_and_cannot_be_saved(root: Client, shown: str) -> None:
    page = root.get(f"/admin/access/token/{row_of(shown).pk}/change/", secure=True).content.decode()
    assert shown not in page
    assert 'name="_save"' not in page


def test_a_token_deleted_in_the_admin_is_none_any_more(root: Client, shown: str) -> None:
    root.post(f"/admin/access/token/{row_of(shown).pk}/delete/", {"post": "yes"}, secure=True)
    assert find_token(shown) is None
