"""`manage.py` between other programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LITTLE = ["help", "--commands"]  # less than Python keeps before it writes
MUCH = ["shell", "--verbosity", "0", "-c", "print(*range(100_000))"]


@pytest.mark.parametrize("arguments", [LITTLE, MUCH])
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
