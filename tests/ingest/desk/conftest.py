"""A real browser before the running site."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client, TransactionTestCase

from tests.support.access.people import browser
from tests.support.desk.people import staff
from tests.support.desk.site import ARGUMENTS, Site
from tests.support.postgres.emptying import empty_tables

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    """Hash passwords in no time; a second each otherwise."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ana() -> Client:
    """The browser of a member of staff who may do everything."""
    return browser(staff("ana", superuser=True))


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
