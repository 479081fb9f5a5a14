"""What one may not view is not told: an address of such a thing is answered as one at which nothing stands."""

import json
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.tokens import create_token
from tests.support.access.people import browser, person
from tests.support.dataforge.addresses import pages, things
from tests.support.dataforge.keepsakes import SECRET, SECRET_KEY, SECRET_ROWS, Keys, keep_one_of_each, nobodys

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
API = "/api/v1/"
SECRETS = (SECRET, SECRET_KEY, f"{SECRET_ROWS:,}", str(SECRET_ROWS), "941.9")  # the last: so many bytes, in MiB
# The rights any of which lets one view a thing of the API, by where its address begins.
VIEWING = {
    "/api/v1/batches/": ("olist.view_seller",),
    "/api/v1/rejects/": ("olist.view_seller",),
    "/api/v1/tables/": ("olist.view_seller", "olist.add_seller", "olist.change_seller"),
    "/api/v1/backups/": ("backups.view_backup",),
    "/api/v1/restores/": ("backups.view_restore",),
}


@pytest.fixture
def keys(settings: Any) -> Keys:
    """Where one of everything stands."""
    settings.API_REQUESTS_PER_MINUTE = 100_000
    return keep_one_of_each()


def begin_of(address: str, keys: Keys) -> str:
    """Return where the addresses of the same kind of thing begin."""
    return next((begin for begin in sorted(keys, key=len, reverse=True) if address.startswith(begin)), "")


def all_but(*rights: str) -> User:
    """Make a member of staff with every right but these."""
    user = person("eva")
    lacking = {right.partition(".")[2] for right in rights}
    user.user_permissions.set(Permission.objects.exclude(codename__in=lacking))
    return user


def answered(
    client: Client, address: str, method: str, keys: tuple[str, ...], **options: Any
) -> tuple[int, dict[str, Any], dict[str, str], int]:
    """Return all that an answer tells of whether something is there: also its headers, and how much was asked for."""
    point = transaction.savepoint_create()
    with CaptureQueriesContext(connection) as queries:
        path = address.format(*keys)
        answer = client.generic(method, path, "{}", "application/json", secure=True, **options)
    transaction.savepoint_rollback(point)
    text, *values = (
        each.replace(f"/{keys[-1]}/", "/KEY/") for each in (answer.content.decode(), *answer.headers.values())
    )
    headers = dict(zip(answer.headers, values, strict=True))
    for of_the_moment in ("X-Request-ID", "Expires"):
        headers.pop(of_the_moment, None)
    said = json.loads(text) if text.startswith("{") else {"text": text}
    said.pop("request_id", None)
    return answer.status_code, said, headers, len(queries)


@pytest.mark.parametrize("rights", ["no right", "every right but to view it"])
@pytest.mark.parametrize("begin", VIEWING)
def test_a_thing_that_one_may_not_view_is_not_there_by_any_method(keys: Keys, begin: str, rights: str) -> None:
    user = person("eva") if rights == "no right" else all_but(*VIEWING[begin])
    headers = {"Authorization": f"Token {create_token(user, name='t', expires=None)}"}
    found = [address for address in things() if address.startswith(begin)]
    assert found
    for address in found:
        ask = partial(answered, Client(), address, headers=headers)
        for method in METHODS:
            there, nowhere = ask(method, keys[begin]), ask(method, nobodys(keys[begin]))
            assert (there[0], there) == (404, nowhere), (method, address)


# Of these, whoever has every other right still sees only what is their own, or of tables that they may view.
OWN = ("batch", "rejectedrecord", "bulkjob", "token")
BY_RIGHT = ("seller", "backup", "restore", "backupschedule", "user", "group")


@pytest.mark.parametrize("method", ["GET", pytest.param("POST", marks=pytest.mark.slow)])
@pytest.mark.parametrize("rights", ["no right", "every right but to view it"])
def test_a_thing_that_one_may_not_view_is_not_there_in_the_admin(keys: Keys, rights: str, method: str) -> None:
    lacking = [f"x.{verb}_{model}" for model in BY_RIGHT for verb in ("view", "change")]
    client = browser(person("eva") if rights == "no right" else all_but(*lacking))
    told = []
    for address in things():
        begin = begin_of(address, keys)
        if begin.startswith("/admin/") and begin.split("/")[3] in (*OWN, *BY_RIGHT):
            there, nowhere = (answered(client, address, method, some) for some in (keys[begin], nobodys(keys[begin])))
            told += [(address, there, nowhere)] if there != nowhere or there[0] == 200 else []
    assert told == []


def test_no_page_tells_of_a_table_to_those_who_may_not_view_it(keys: Keys) -> None:
    client = browser(all_but("olist.view_seller"))
    found = [path for path in pages() if not path.startswith(("/api/schema/", "/api/docs/"))]  # public, and slow
    looked_at = [*found, *(address.format(*keys[begin_of(address, keys)]) for address in things())]
    telling = []
    for path in looked_at:
        point = transaction.savepoint_create()
        text = client.get(path, secure=True).content.decode()
        transaction.savepoint_rollback(point)
        telling += [(path, secret) for secret in SECRETS if secret in text]
    assert telling == []
    assert len(looked_at) > 100


def test_every_address_of_a_thing_is_known_to_these_tests(keys: Keys) -> None:
    assert [address for address in things() if not begin_of(address, keys)] == []
    assert {begin for begin in keys if begin.startswith(API)} == set(VIEWING)
    assert len(things()) > 60
