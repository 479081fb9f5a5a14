"""Several programs as one: they begin together, and when one ends or a signal comes, they end together."""

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import NoReturn

MANAGE = str(Path(__file__).resolve().parents[2] / "manage.py")
WEB = (sys.executable, "-m", "gunicorn", "dataforge.wsgi")
LOOPS = tuple((sys.executable, MANAGE, name, "--loop") for name in ("run_scheduled_backups", "tend_rejects"))

type Command = tuple[str, ...]


def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Let a signal end what is at work, as Ctrl-C does."""
    raise KeyboardInterrupt


def run_together(commands: Iterable[Command]) -> int:
    """Run the programs until SIGTERM or SIGINT (exit code 0), or until one ends by itself (its code, never 0).

    A container without one of its programs is a broken one: whoever runs it shall see that, and start it again.
    """
    running: dict[int, Command] = {}
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    try:
        for command in commands:
            running[os.posix_spawn(command[0], command, os.environ)] = command
        return _first_to_end(running)
    except KeyboardInterrupt:
        return 0
    finally:
        _end(running)


def _first_to_end(running: dict[int, Command]) -> int:
    while True:
        # Also waits for orphans, which fall to the first process of a container.
        pid, status = os.wait()
        if pid in running:
            code = os.waitstatus_to_exitcode(status)
            print(f"error: {' '.join(running.pop(pid)[1:])} ended ({code}); stopping", file=sys.stderr)
            return abs(code) or 1


def _end(running: Iterable[int]) -> None:
    """Ask all to stop and wait for them; how long, is up to whoever asked us."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for pid in running:
        os.kill(pid, signal.SIGTERM)
    for pid in running:
        os.waitpid(pid, 0)
