"""What SECURITY.md promises of the site as a whole, and that its table names tests that exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

PROJECT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_\w+)`")
NOTHING_INLINE = "script-src 'self'; style-src 'self'; "


def test_every_threat_names_tests_that_exist() -> None:
    table = (PROJECT / "SECURITY.md").read_text().partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        named = NAMED.findall(row)
        assert named or ".ci/run" in row, row
        for path, name in named:
            assert f"\ndef {name}(" in (PROJECT / path).read_text(), (path, name)


@pytest.mark.django_db
def test_pages_allow_nothing_inline_but_for_the_styles_of_swagger_ui() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for path in ("/admin/", "/admin/ingest/rejectedrecord/", "/admin/login/", "/api/schema/", "/nowhere"):
        policy = client.get(path, secure=True).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert NOTHING_INLINE in policy
        assert "unsafe" not in policy
        assert policy.endswith("frame-ancestors 'none'")
    docs = client.get("/api/docs/", secure=True).headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self' 'unsafe-inline'; " in docs


_PRODUCTION = """
import json
from django.test import Client
from django.conf import settings
plain = Client().get('/admin/login/', headers={'host': 'localhost'})
page = Client().get('/admin/login/', secure=True, headers={'host': 'localhost'})
cookie = page.cookies['csrftoken']
print(json.dumps([plain.status_code, plain['Location'], dict(page.headers), cookie['secure'],
    settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY]))
"""


@pytest.mark.slow
def test_production_speaks_https_alone_and_its_cookies_too(tmp_path: Path) -> None:
    settings = {"DEBUG": "off", "SECRET_KEY": "".join(map(chr, range(48, 123)))}
    quiet = "settings.STORAGES = {'staticfiles': {'BACKEND': 'django.core.files.storage.InMemoryStorage'}}"
    code = _PRODUCTION.replace("plain =", f"{quiet}\nplain =", 1)
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    ran = subprocess.run(command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    status, location, headers, csrf, session, httponly = json.loads(ran.stdout)
    assert (status, location) == (301, "https://localhost/admin/login/")
    assert (csrf, session, httponly) == (True, True, True)
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.django_db
def test_a_session_alone_opens_neither_the_api_nor_a_form_without_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/api/v1/rejects/", secure=True).status_code == 401
    assert client.post("/api/v1/batches/", "{}", content_type="application/json", secure=True).status_code == 401
    assert client.post("/admin/auth/user/add/", {"username": "x"}, secure=True).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/tables/", "/api/v1/rejects/1/", "/api/schema/", "/admin/", "/nowhere/"])
def test_no_cache_keeps_an_answer(address: str) -> None:
    assert "no-store" in Client().get(address, secure=True)["Cache-Control"]
