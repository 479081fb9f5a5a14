"""`docs/operations.md`: its commands are carried out as they stand, in its order, on services that really run."""

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from tests.support.container.compose import PROJECT, Compose
from tests.support.loading.loads import database_url, query
from tests.support.manual.console import free_port, steps

MANUAL = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
NEW_SERVER = "Restore everything on a new server"
KEPT = "select (select count(*) from olist_order_payments), max(password), sum(read) from auth_user, ingest_account"


def sections() -> dict[str, str]:
    """Return the manual's sections by their titles."""
    return dict(part.split("\n", 1) for part in MANUAL.split("\n## ")[1:])


@pytest.fixture
def databases(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Make two empty databases on the tests' server: the one that is operated, and the new one."""
    names = ("operated", "restored")
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        for name in names:
            query(f"drop database if exists {name}_{os.getpid()} with (force)")
            query(f"create database {name}_{os.getpid()} template template0")
        yield tuple(database_url(dbname=f"{name}_{os.getpid()}") for name in names)  # type: ignore[misc]
        for name in names:
            query(f"drop database {name}_{os.getpid()} with (force)")
        connection.close()


@pytest.fixture
def machine(tmp_path: Path, databases: tuple[str, str]) -> Iterator[dict[str, str]]:
    """Yield the environment of an operator's shell: `docker` is the stand-in, and the archive lies in the folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(
        f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} -m tests.support.container.compose "$@"\n'
    )
    docker.chmod(0o755)
    call_command("sample_olist", str(tmp_path / "sample"), scale=0.01, stdout=io.StringIO())
    shutil.make_archive(str(tmp_path / "brazilian-ecommerce"), "zip", tmp_path / "sample")
    yield {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "STAND_IN_DATABASE": databases[0],
        "STAND_IN_PORT": str(free_port()),
    }
    if (tmp_path / ".env").exists():
        Compose(tmp_path).stop()


@pytest.mark.skipif(not shutil.which("curl"), reason="the manual's commands need curl")
@pytest.mark.slow
def test_the_commands_of_the_manual_run_as_they_stand(
    machine: dict[str, str], databases: tuple[str, str], tmp_path: Path
) -> None:
    kept = []
    for title, section in sections().items():
        if title == NEW_SERVER:
            kept.append(ask(databases[0], KEPT))
            machine["STAND_IN_DATABASE"] = databases[1]
            Compose(tmp_path).stop()
        run(title, steps(section), machine, tmp_path)
    kept.append(ask(databases[1], KEPT))
    assert kept[0] == kept[1]
    assert re.fullmatch(r"1\d{3}\|pbkdf2\S+\|15\d{3}", kept[0]), kept
    assert "SECRET_KEY_FALLBACKS" not in (tmp_path / ".env").read_text()


def run(title: str, told: list[tuple[str, list[str]]], machine: dict[str, str], folder: Path) -> None:
    """Carry out a section, and look whether it prints what the manual says."""
    script = "\n".join(f"echo; echo '## {number}'\n{command}" for number, (command, _) in enumerate(told))
    script = script.replace("localhost:8000", f"127.0.0.1:{machine['STAND_IN_PORT']}").replace(
        "python3", sys.executable
    )
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=machine, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, (title, done.stdout, done.stderr)
    for number, (command, printed) in enumerate(told):
        real = done.stdout.split(f"## {number}\n")[1].split("\n## ")[0].splitlines()
        for line in printed:
            assert line == "..." or line in real, (command, real)


def ask(database: str, statement: str) -> str:
    """Ask a database other than the tests' own."""
    from core.embedded_postgres import binary

    return subprocess.run(
        [binary("psql"), "--tuples-only", "--no-align", "--command", statement, database.replace("postgres://", "postgresql://")],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
