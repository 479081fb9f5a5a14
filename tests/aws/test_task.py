"""``deploy/aws/task.py`` starts a task as `terraform output` says, shows its log and ends as it ended."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws.terraform import SOURCE

OUTPUTS = {
    "region": "eu-west-1",
    "cluster": "forge",
    "task_network": "awsvpcConfiguration={subnets=[subnet-1],securityGroups=[sg-1]}",
    "tasks": {"manage": {"family": "forge-manage", "log_group": "/ecs/forge-manage"}},
}
# Stands for both programs: says what they would, and writes down what it was asked.
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
here = Path(__file__).parent
with (here / "asked").open("a") as asked:
    asked.write(json.dumps(sys.argv) + "\\n")
verb = "output" if "output" in sys.argv else sys.argv[2]
answers = json.loads((here / "answers").read_text())
if verb in answers:  # to wait is all that the other one does
    print(json.dumps(answers[verb]))
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name in ("aws", "terraform"):
        (tmp_path / name).write_text(PROGRAM.format(python=sys.executable))
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run(programs: Path, *arguments: str, **answers: Any) -> subprocess.CompletedProcess[str]:
    known = {
        "output": {name: {"value": value} for name, value in OUTPUTS.items()},
        "run-task": {"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:1:task/forge/abc"}]},
        "describe-tasks": {"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": 3}]}]},
        "get-log-events": {"events": [{"message": "first"}, {"message": "last"}]},
    }
    (programs / "answers").write_text(json.dumps({**known, **answers}))
    path = f"{programs}:{os.environ['PATH']}"
    command = [sys.executable, str(SOURCE / "task.py"), *arguments]
    return subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)


def asked(programs: Path, verb: str) -> list[str]:
    lines = [json.loads(line) for line in (programs / "asked").read_text().splitlines()]
    (found,) = (line[1:] for line in lines if verb in line)
    return list(found)


def test_a_command_runs_in_place_of_the_tasks_own_and_its_end_is_ours(programs: Path) -> None:
    code = "print('a line')\nprint('and \\\"another')"
    ran = run(programs, "manage", "python", "manage.py", "shell", "-c", code)
    assert (ran.returncode, ran.stdout) == (3, "first\nlast\n")
    started = asked(programs, "run-task")
    assert started[started.index("--task-definition") + 1] == "forge-manage"
    assert started[started.index("--network-configuration") + 1] == OUTPUTS["task_network"]
    overrides = json.loads(started[started.index("--overrides") + 1])
    assert overrides["containerOverrides"] == [{"name": "app", "command": ["python", "manage.py", "shell", "-c", code]}]
    log = asked(programs, "get-log-events")
    assert log[log.index("--log-stream-name") + 1] == "app/app/abc"


def test_a_task_that_never_ran_says_why(programs: Path) -> None:
    stopped = {"lastStatus": "STOPPED", "stoppedReason": "CannotPullContainerError", "containers": [{}]}
    ran = run(programs, "manage", **{"describe-tasks": {"tasks": [stopped]}})
    assert ran.returncode == 1
    assert "it did not run: CannotPullContainerError" in ran.stderr


def test_an_unknown_kind_is_refused_by_the_names_of_those_that_are(programs: Path) -> None:
    ran = run(programs, "mange")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "KIND is one of: manage" in ran.stderr
