"""No address answers 500, whatever the method, the parameters and the rights of whoever asks."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from access.tokens import create_token
from tests.support.dataforge.addresses import every_address
from tests.support.desk.people import staff

pytestmark = pytest.mark.django_db
QUICK = ("GET", "OPTIONS")
METHODS = (
    *QUICK,
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE")),
)
NUL = "a\0b"
NASTY = (NUL, "\ud800", "\0", "x" * 10_000, "-1", "1e400", "9" * 40, "[]", "{}", "'", "%00", "2018-02-30", "None")


PLACES = every_address()


class Person:
    """A client that tells of a fault of the server by its answer, as a real one does."""

    def __init__(self, user: User | None = None, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Token {token}"} if token else {}
        if user and not token:
            self.client.force_login(user)

    def status(self, method: str, path: str, query: dict[str, str] | None = None) -> int:
        point = transaction.savepoint_create()  # a fault of the database must not spoil the requests after it
        answer = self.client.generic(method, path, QUERY_STRING=encoded(query or {}), secure=True, headers=self.headers)
        transaction.savepoint_rollback(point)
        transaction.savepoint_commit(point)  # else each would stand in the next one, with its locks
        return answer.status_code


def encoded(query: dict[str, str]) -> str:
    return "&".join(f"{quote(name)}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in query.items())


def people() -> dict[str, Person]:
    root = staff("root", superuser=True)
    return {
        "nobody": Person(),
        "a clerk": Person(staff("udo", "olist.view_seller", "ingest.view_rejectedrecord")),
        "a superuser": Person(root),
        "a superuser's token": Person(root, create_token(root, name="t", expires=None)),
    }


@pytest.fixture(autouse=True)
def unthrottled(settings: Any) -> None:
    """Let one client walk everywhere."""
    settings.API_REQUESTS_PER_MINUTE = 100_000


@pytest.fixture(autouse=True)
def unlogged() -> Iterator[None]:
    """Write no log: a traceback for each bad request was a quarter of all work here."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def test_the_walk_goes_everywhere() -> None:
    assert {"/", "/api/v1/batches/", "/api/docs/", "/admin/login/", "/admin/olist/order/"} <= set(PLACES)
    assert len(PLACES) > 100


@pytest.mark.parametrize("method", METHODS)
def test_no_address_answers_500_to_any_method_by_anybody(method: str) -> None:
    failed = [
        (who, path)
        for who, person in people().items()
        for path in PLACES
        if "logout" not in path and person.status(method, path) >= 500
    ]
    assert [(who, path) for who, path in failed if path != "/readyz"] == []


def list_parameters(*, with_lookups: bool = False) -> Iterator[tuple[str, str]]:
    """Each list of the admin and the API, with each parameter that it knows or that Django knows.

    ``with_lookups``: also with Django's lookups of each field, and of one that there is not.
    """
    for model, model_admin in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        names = {
            "q",
            "p",
            "o",
            "e",
            "all",
            "day",
            "group",
            "by",
            "_facets",
            "_popup",
            "_to_field",
            "_changelist_filters",
        }
        fields = {field.attname for field in model._meta.concrete_fields}
        for filter_ in model_admin.list_filter or ():
            name = filter_[0] if isinstance(filter_, tuple) else filter_
            fields.add(getattr(name, "parameter_name", None) or str(name))
        lookups = {f"{field}{lookup}" for field in (*fields, "nosuch") for lookup in ("__exact", "__gte")}
        for name in sorted(names | fields | (lookups if with_lookups else set())):
            yield path, name
    for path in ("batches", "rejects", "tables", "backups", "restores"):
        for name in ("table", "code", "status", "batch", "origin", "cursor", "limit", "page_size", "since", "group"):
            yield f"/api/v1/{path}/", name


def faults(parameters: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Those of some lists with a parameter and its value that a superuser is answered 500 to."""
    root = staff("root", superuser=True)
    by_session, by_token = Person(root), Person(root, create_token(root, name="t", expires=None))
    return [
        (path, name, value[:20])
        for path, name, value in parameters
        if (by_token if path.startswith("/api/") else by_session).status("GET", path, {name: value}) >= 500
    ]


def test_no_list_answers_500_to_a_null_character_in_any_parameter() -> None:
    assert faults((path, name, NUL) for path, name in list_parameters()) == []


@pytest.mark.slow
def test_no_list_answers_500_whatever_a_parameter_holds() -> None:
    assert faults((path, name, v) for path, name in list_parameters(with_lookups=True) for v in NASTY) == []
