"""Several programs as one process: they begin and end together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dataforge.container.processes import LOOPS, WEB
from tests.support.loading.loads import PROJECT

STARTED = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
RUN = """
import sys
from dataforge.container.processes import run_together
sys.exit(run_together([(sys.executable, *command.split("|")) for command in sys.argv[1:]]))
"""


def together(*commands: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", RUN, *commands], cwd=PROJECT, stderr=subprocess.PIPE, text=True)


def test_a_program_that_ends_takes_the_others_with_it_and_gives_its_code(tmp_path: Path) -> None:
    waits = f"until [ -e {tmp_path}/up ]; do sleep 0.05; done; exit 7"
    ending = f"-c|import subprocess, sys; sys.exit(subprocess.call(['sh', '-c', '{waits}']))"
    with together(f"-c|{STARTED}|{tmp_path}/up", ending) as both:
        _, said = both.communicate(timeout=20)
    assert both.returncode == 7
    assert "ended (7); stopping" in said


def test_a_stop_ends_all_of_them_and_is_no_failure(tmp_path: Path) -> None:
    with together(*(f"-c|{STARTED}|{tmp_path}/{name}" for name in "ab")) as both:
        while len(list(tmp_path.iterdir())) < 2:
            assert both.poll() is None
            time.sleep(0.02)
        children = Path(f"/proc/{both.pid}/task/{both.pid}/children").read_text().split()
        both.send_signal(signal.SIGTERM)
        assert both.wait(20) == 0
    assert len(children) == 2
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_what_the_image_starts_is_there() -> None:
    assert WEB[1:] == ("-m", "gunicorn", "dataforge.wsgi")
    for _, manage, command, _ in LOOPS:
        assert os.access(manage, os.R_OK)
        assert list(PROJECT.glob(f"*/management/commands/{command}.py"))
