"""`manage.py test` runs the tests by pytest, and is never content with none."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from dataforge import pytest_runner
from dataforge.pytest_runner import PytestRunner
from tests.support.loading.loads import PROJECT


def asked_of_pytest(*arguments: str, code: int = 0) -> list[str]:
    """Run the command, and return what it would have started."""
    with mock.patch.object(subprocess, "run", return_value=SimpleNamespace(returncode=code)) as run:
        call_command("test", *arguments)
    command: list[str] = run.call_args.args[0]
    assert command[:3] == [sys.executable, "-m", "pytest"]
    return command[3:]


def test_labels_and_options_are_handed_over() -> None:
    assert asked_of_pytest() == []
    assert asked_of_pytest("--failfast", "-k", "token", "tests.access", "tests/olist") == [
        *("-x", "-k", "token"),
        *("tests/access", "tests/olist"),
    ]
    one = "tests.dataforge.test_pytest_runner.test_labels_and_options_are_handed_over"
    assert asked_of_pytest(one) == [one.replace(".", "/", 2).replace(".", ".py::")]


def test_tests_that_fail_end_the_command_with_1() -> None:
    with pytest.raises(SystemExit, match="1"):
        asked_of_pytest(code=1)


def test_where_no_tests_are_installed_it_says_so(tmp_path: Any) -> None:
    with mock.patch.object(pytest_runner, "PROJECT", tmp_path), pytest.raises(CommandError, match="`make test`"):
        PytestRunner().run_tests([])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tests.dataforge.test_prepare_database"], 0, "1 passed"),
        (["-k", "no_such_test", "tests.dataforge.test_prepare_database"], 1, "deselected"),
        (["tests.nosuch"], 1, "tests.nosuch"),
    ],
)
def test_no_test_at_all_is_a_failure(arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "manage.py", "test", *arguments]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (ran.returncode, said in ran.stdout + ran.stderr) == (code, True)
