"""The system user as whom root runs the embedded server is made once, however many processes begin at once."""

import pwd
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.embedded_postgres.system_user import system_user_for


class Machine:
    """A machine's users, and a ``useradd`` as slow as the real one, which gives a new number each time."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def find(self, name: str) -> SimpleNamespace:
        if not self.numbers:
            raise KeyError(name)
        return SimpleNamespace(pw_name=name, pw_uid=self.numbers[-1], pw_gid=self.numbers[-1])

    def add(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        time.sleep(0.05)
        self.numbers.append(999 - len(self.numbers))
        return subprocess.CompletedProcess(command, 0, "", "")


def test_processes_that_begin_at_once_as_root_agree_on_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", machine.find)
    monkeypatch.setattr(subprocess, "run", machine.add)
    with ThreadPoolExecutor(8) as pool:
        users = list(pool.map(lambda number: system_user_for(tmp_path / str(number)).uid, range(8)))
    assert users == [999] * 8
    assert machine.numbers == [999]
