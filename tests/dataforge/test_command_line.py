"""`manage.py` between other programs."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import manage
from tests.support.loading.loads import database_url

PROJECT = Path(__file__).resolve().parents[2]
LITTLE = ["help", "--commands"]  # less than Python keeps before it writes
ENDED = "error: the command asks, and its input has ended"
MUCH = ["shell", "--verbosity", "0", "-c", "print(*range(100_000))"]


@pytest.mark.parametrize("arguments", [LITTLE, pytest.param(MUCH, marks=pytest.mark.slow)])
def test_a_command_whose_reader_has_gone_ends_without_a_word(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `head -1` does after its line
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DEBUG": "on", "SECRET_KEY": "of a test"},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, "")


@pytest.mark.django_db
def test_a_question_that_nobody_answers_is_one_line_and_no_traceback() -> None:
    ran = subprocess.run(
        [sys.executable, "manage.py", "flush"],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "on", "SECRET_KEY": "of a test"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (2, f"{ENDED}: see its --help\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["flush"], 2, ENDED),
        (["spectacular", "--file", "/nosuch/schema.yaml"], 2, "error: /nosuch/schema.yaml: No such file or directory"),
        (["dumpdata", "auth", "--output", "/nosuch/all.json"], 1, "No such file or directory: '/nosuch/all.json'"),
        (["loaddata", "nosuch"], 1, "No fixture named 'nosuch' found."),
        (["changepassword", "nobody"], 1, "user 'nobody' does not exist"),
        (["createsuperuser", "--noinput"], 1, "You must use --username with --noinput."),
    ],
)
def test_a_mistake_in_a_command_of_djangos_is_one_line(
    arguments: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    close_all = "django.core.management.base.connections.close_all"
    monkeypatch.setattr(close_all, lambda: None)  # the test's own transaction goes on
    try:
        ended = manage.main()
    except SystemExit as end:
        ended = int(end.code or 0)
    error = capsys.readouterr().err
    assert (ended, error.strip().count("\n")) == (code, 0), error
    assert said in error
