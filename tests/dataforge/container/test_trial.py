"""The trial profile: the image with nothing but an empty folder as its volume."""

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from core.embedded_postgres import is_running
from dataforge.container.secret_key import trial_secret_key
from tests.support.loading.loads import PROJECT
from tests.support.manual.console import free_port
from tests.support.postgres.sessions import wait_until
from tests.support.secrets import SECRET_KEY

START_SECONDS = 90
MADE = re.compile(r"Made the superuser admin\. Password, shown this once: (\S+)")


def environment(volume: Path, **more: str) -> dict[str, str]:
    """Return what the Dockerfile sets, and keep out what a checkout's .env says."""
    return {
        **os.environ,
        "DATABASE_URL": "",
        "SECRET_KEY": "",
        "DEBUG": "off",
        "TRIAL": "on",
        "DATA_DIR": str(volume),
        **more,
    }


@contextmanager
def trial(volume: Path, log: Path) -> Iterator[str]:
    """Run the image's program until the block ends, and stop it as an engine does; return its address."""
    port = free_port()
    told = environment(volume, PORT=str(port), GUNICORN_CMD_ARGS=f"--bind 127.0.0.1:{port}", WEB_CONCURRENCY="1")
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dataforge.container"], cwd=PROJECT, env=told, stdout=output, stderr=output
        )
    try:
        check = [sys.executable, "-m", "dataforge.container.healthcheck"]

        def healthy() -> bool:
            assert process.poll() is None, log.read_text()
            return subprocess.run(check, env=told, cwd=PROJECT, capture_output=True, check=False).returncode == 0

        wait_until(healthy, patience_seconds=START_SECONDS)
        yield f"http://localhost:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def log_in(address: str, password: str) -> bool:
    """Log in by the form, as a browser does, and fetch a style sheet of the page."""
    with requests.Session() as session:
        page = session.get(f"{address}/admin/login/", timeout=START_SECONDS)
        (style, *_) = re.findall(r'href="(/static/[^"]*\.css)"', page.text)
        sheet = session.get(address + style, timeout=START_SECONDS)
        assert (sheet.status_code, sheet.headers["Content-Encoding"]) == (200, "gzip")
        assert "immutable" in sheet.headers["Cache-Control"]
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        session.post(page.url, data=form, timeout=START_SECONDS)
        return "sessionid" in session.cookies


@pytest.mark.slow
def test_an_empty_volume_is_enough_for_a_site_that_keeps_what_it_has(tmp_path: Path) -> None:
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=PROJECT, env=environment(tmp_path / "build", SECRET_KEY=SECRET_KEY), check=True)
    volume, log = tmp_path / "volume", tmp_path / "log"
    volume.mkdir()
    with trial(volume, log) as address:
        assert requests.get(f"{address}/readyz", timeout=START_SECONDS).json()["status"] == "ok"
        assert is_running(volume / "postgres")
        said = log.read_text()
        assert "Not for production" in said
        (password,) = MADE.findall(said)
        assert log_in(address, password)
        assert not log_in(address, password + "x")
    wait_until(lambda: not is_running(volume / "postgres"))
    key = (volume / "secret_key").read_text()
    assert stat.S_IMODE((volume / "secret_key").stat().st_mode) == 0o600

    with trial(volume, log) as address:
        assert not MADE.search(log.read_text())
        assert password not in log.read_text()
        assert log_in(address, password)
    assert (volume / "secret_key").read_text() == key


def test_with_a_database_named_nothing_of_a_trial_is_left(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("of an earlier trial")
    strict = environment(tmp_path, DATABASE_URL="postgres://forge@/forge?host=/nowhere")
    command = [sys.executable, "-m", "dataforge.container"]
    ran = subprocess.run(command, cwd=PROJECT, env=strict, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: SECRET_KEY is not set")
    show = (
        "from django.conf import settings as s; print(s.TRIAL, s.HTTPS, s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", show], cwd=PROJECT, capture_output=True, text=True, check=False,
        env=strict | {"SECRET_KEY": SECRET_KEY, "DJANGO_SETTINGS_MODULE": "dataforge.settings"},
    )  # fmt: skip
    assert ran.stdout.split() == ["False", "True", "True", "True"], ran.stderr


def test_a_secret_key_is_made_once(tmp_path: Path) -> None:
    first = trial_secret_key(tmp_path)
    assert len(first) > 60
    assert trial_secret_key(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_volume_that_cannot_be_written_is_refused_with_a_word_on_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "dataforge.container"]
    told = environment(tmp_path / "file")
    ran = subprocess.run(command, cwd=PROJECT, env=told, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "Give the container a volume that this user may write to" in ran.stderr
