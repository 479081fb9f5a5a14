"""What load balancers ask: does a process answer, and can it be sent work."""

import socket
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client

from dataforge import health

BALANCER = {"Host": "10.20.30.40:8000"}  # an address that ALLOWED_HOSTS does not know, and plain HTTP


@pytest.fixture
def strict(settings: Any) -> None:
    """Serve as in production."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["forge.example"]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, db: None) -> dict[str, Any]:
    """Return the settings of the connection that /readyz will open: a plain one to another server than the tests'."""
    other = DatabaseWrapper({**connections["default"].settings_dict, "OPTIONS": {}})
    monkeypatch.setattr(connections["default"], "copy", lambda: other)
    return other.settings_dict


def test_a_process_that_lives_says_so_to_anyone_and_without_the_database(client: Client, strict: None) -> None:
    answer = client.get("/healthz", headers=BALANCER)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.head("/healthz", headers=BALANCER).status_code == 200
    assert client.post("/healthz", headers=BALANCER).status_code == 405
    assert client.get("/healthz/", headers=BALANCER).status_code in (301, 400)


@pytest.mark.django_db
def test_a_site_that_has_its_database_and_all_migrations_is_ready(client: Client, strict: None) -> None:
    answer = client.get("/readyz", headers=BALANCER)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "migrations": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_missing_migration_is_named(client: Client, strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_expected", lambda: {("olist", "0001_initial"), ("olist", "9999_next")})
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "database": "ok",
        "migrations": ["olist.9999_next is not applied"],
    }


def test_a_database_that_is_away_is_named_and_no_more_is_said_of_it(
    client: Client, strict: None, database: dict[str, Any]
) -> None:
    database["HOST"] = "/nowhere/secret"
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "cannot be reached", "migrations": "unknown"}


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_not_waited_for(
    client: Client, strict: None, database: dict[str, Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database |= {"HOST": "127.0.0.1", "PORT": silent.getsockname()[1]}
        assert client.get("/readyz", headers=BALANCER).status_code == 503
