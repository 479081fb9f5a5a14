"""What more than one room's tests need: a database in which work commits, folders of files, and a browser."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase, override_settings

from olist.sample import write_sample
from tests.support.desk.site import ARGUMENTS, Site
from tests.support.loading.loads import SHARED
from tests.support.postgres.emptying import empty_tables

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
YOUNG_OBJECTS = 50_000


def pytest_collection_finish() -> None:
    """Let no garbage collection look again at what is loaded by now: that was an eighth of all work of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def leave_as_new(_: object) -> None:
    """Take away what a test committed, and what it left in its session."""
    empty_tables()
    with connection.cursor() as cursor:
        cursor.execute("discard all")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords in no time; a second each otherwise."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def cheap_flush() -> Iterator[None]:
    """Set up before ``transactional_db``, so that it outlives it.

    The session stays, as new: another for each test cost a process of the server, and all that it has to learn again.
    """
    with (
        mock.patch.object(TransactionTestCase, "_fixture_teardown", leave_as_new),
        mock.patch.object(TransactionTestCase, "_should_reload_connections", return_value=False),
    ):
        yield


@pytest.fixture
def committed(cheap_flush: None, transactional_db: None) -> None:
    """Let the test commit, as a load does, and begin and end with empty tables."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean files with all habits of the published ones: some 3,000 records."""
    folder = tmp_path_factory.mktemp("small")
    write_sample(folder, scale=0.002, seed=7)
    return folder


@pytest.fixture(scope="session")
def real_sample() -> Path:
    """The published files, cut down to 3,000 orders; they are not ours to copy into the project."""
    if not (SHARED / "olist_orders_dataset.csv").exists():
        pytest.skip(f"the real sample is not there: {SHARED}")
    return SHARED


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, one for a module; each test gets a window of its own."""
    if CHROMIUM is None:
        pytest.skip("No Chromium is installed, so nothing was tried in a real browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # In place before live_server asks for a database in which work commits, and so before ``cheap_flush`` could.
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        patch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)  # the server's threads leave no connection
        # Playwright keeps an event loop in this thread, in which Django would refuse to ask the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(chromium: Any, live_server: Any, settings: Any) -> Iterator[Site]:
    """The site, running without TLS on an empty database, and a window onto it."""
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    with Site.opened(chromium, live_server.url) as opened:
        yield opened
