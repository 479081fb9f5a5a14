"""`manage.py test`: hands over to pytest, which knows how these tests are marked, set up and spread over processes."""

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import CommandError

PROJECT = Path(__file__).resolve().parent.parent


class PytestRunner:
    """What Django asks of TEST_RUNNER."""

    def __init__(self, *, pytest_options: Sequence[str] = (), verbosity: int = 1, **options: Any) -> None:
        """Take Django's options; those without a meaning to pytest are passed over."""
        flags = {"-x": options.get("failfast"), "--reuse-db": options.get("keepdb"), "-v": verbosity > 1}
        self.arguments = [*(option for option, wanted in flags.items() if wanted), *pytest_options]

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Define the options of Django's own runner that people use most, and a way to all of pytest's."""
        parser.add_argument("--failfast", action="store_true", help="stop at the first test that fails")
        parser.add_argument("--keepdb", action="store_true", help="use the last run's database again")
        parser.add_argument("-k", dest="pytest_options", action=_Keyword, default=[], help="only tests whose name fits")

    def run_tests(self, test_labels: Sequence[str], **_: Any) -> int:
        """Run the tests in a process of their own; 0 where all passed. No test at all is a failure."""
        if not importlib.util.find_spec("pytest") or not (PROJECT / "tests").is_dir():
            raise CommandError(
                "The tests and their packages are not installed here: `make test` runs them in a checkout."
            )
        command = [sys.executable, "-m", "pytest", *self.arguments, *map(_path, test_labels)]
        return subprocess.run(command, cwd=PROJECT, check=False).returncode  # noqa: S603 - our own command line


class _Keyword(argparse.Action):
    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        namespace.pytest_options = ["-k", values]


def _path(label: str) -> str:
    """Return what pytest calls a dotted name: `tests.test_readme.test_x` is `tests/test_readme.py::test_x`."""
    parts = label.split(".")
    for end in range(len(parts), 0, -1):
        module = Path(*parts[:end]).with_suffix(".py")
        if (PROJECT / module).is_file():
            return "::".join([str(module), *parts[end:]])
    folder = Path(*parts)
    return str(folder) if (PROJECT / folder).is_dir() else label
