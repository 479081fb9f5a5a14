"""The endpoint and its peers as running servers: how each is started, and where its clients post."""

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from django.core.management import get_commands
from django.db import connection

from benchmarks.child import PEERS
from benchmarks.client import Address
from benchmarks.scratch import database_url
from benchmarks.servers import HOST, PROJECT, gunicorn, running, uvicorn

USER = "bench"
NO_LIMIT = "1000000000"
DRF_SITE = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.site"}


@dataclass
class Service:
    """A server that is started for a contest; ``missing`` says why it cannot be."""

    name: str
    command: tuple[str, ...]
    introduce: Callable[[], Address]  # makes a token, and what else it needs; the port is not known yet
    environment: dict[str, str] = field(default_factory=dict)
    missing: str = ""
    address: Address | None = None

    @cached_property
    def introduced(self) -> Address:
        """Its address but for the port, and a token of the one user, made once."""
        _make_user()
        return self.introduce()

    def at(self, path: str = "") -> Address:
        """Return its address, with another path where one is named. Raises RuntimeError while it is not running."""
        if self.address is None:
            raise RuntimeError(f"{self.name} is not running")
        return replace(self.address, path=path) if path else self.address


def ours() -> Service:
    """Return the project's own endpoint, as it is deployed."""
    limits = {"API_REQUESTS_PER_MINUTE": NO_LIMIT, "API_RECORDS_PER_MINUTE": NO_LIMIT}
    production = {"DEBUG": "off", "SECURE_SSL_REDIRECT": "off", "ALLOWED_HOSTS": HOST}
    missing = "" if "create_token" in get_commands() else "the endpoint is not built yet (no manage.py create_token)"
    return Service("endpoint", gunicorn("dataforge.wsgi"), _introduce_ours, {**production, **limits}, missing)


def _introduce_ours() -> Address:
    token = _django("manage.py", "create_token", USER, "--name", secrets.token_hex(8)).split()[-1]
    return Address(port=0, path="/api/v1/batches/", headers={"Authorization": f"Token {token}"})


def fastapi() -> Service:
    """Return the FastAPI service."""
    missing = "" if (PEERS / "fastapi").is_dir() else "not installed: `make bench` does, from requirements-bench.txt"
    environment = {"PYTHONPATH": str(PEERS)}
    return Service("FastAPI", uvicorn("benchmarks.peers.fastapi_service:app"), _introduce_fastapi, environment, missing)


def _introduce_fastapi() -> Address:
    token = secrets.token_urlsafe()
    tables = (Path(__file__).parent / "peers" / "fastapi_service.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        cursor.execute(tables)
        digest = hashlib.sha256(token.encode()).digest()
        cursor.execute("insert into fastapi_tokens (digest, owner) values (%s, %s)", [digest, USER])
    return Address(port=0, path="/batches", headers={"Authorization": f"Bearer {token}"})


def drf() -> Service:
    """Return the site of the DRF peers."""
    return Service("DRF", gunicorn("django.core.wsgi:get_wsgi_application()", "--preload"), _introduce_drf, DRF_SITE)


def _introduce_drf() -> Address:
    _django("-m", "django", "migrate", "authtoken", "--verbosity", "0", **DRF_SITE)
    token = _django("-m", "django", "drf_create_token", USER, **DRF_SITE).split()[2]  # Generated token X for user Y
    return Address(port=0, path="", headers={"Authorization": f"Token {token}"})


@contextmanager
def started(service: Service) -> Iterator[None]:
    """Run a service for the block, with a user who may write all tables and no more."""
    address = service.introduced
    with running(service.command, {"DATABASE_URL": database_url(), **service.environment}) as port:
        service.address = replace(address, port=port)
        try:
            yield
        finally:
            service.address = None


def _make_user() -> None:
    from django.contrib.auth.models import Permission, User

    user, is_new = User.objects.get_or_create(username=USER)
    if is_new:
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="olist"))


def _django(*arguments: str, **environment: str) -> str:
    command = [sys.executable, *arguments]
    variables = {**os.environ, "DATABASE_URL": database_url(), "DEBUG": "off", **environment}
    done = subprocess.run(command, cwd=PROJECT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
