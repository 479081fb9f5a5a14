#!/usr/bin/env python3
"""Run one task of the service, wait for its end, show its log: ``task.py KIND [COMMAND ...]``.

KIND is one of `terraform output tasks`; COMMAND is run in place of that kind's own. Needs Python 3, terraform and the
AWS command line, logged in. Exits with the task's exit code.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """Start, wait, print; return the exit code of the task."""
    outputs = {name: output["value"] for name, output in said("terraform", f"-chdir={HERE}", "output", "-json").items()}
    tasks = outputs.get("tasks", {})
    if not arguments or arguments[0] not in tasks:
        print(f"usage: task.py KIND [COMMAND ...]; KIND is one of: {', '.join(tasks)}", file=sys.stderr)
        return WRONG_USE
    kind, *command = arguments
    overrides = {"containerOverrides": [{"name": "app", "command": command}]} if command else {}
    place = ("--region", outputs["region"], "--cluster", outputs["cluster"])
    started = said(
        *("aws", "ecs", "run-task", *place, "--launch-type", "FARGATE", "--task-definition", tasks[kind]["family"]),
        *("--network-configuration", outputs["task_network"], "--overrides", json.dumps(overrides), "--output", "json"),
    )
    if not started["tasks"]:
        print(f"error: AWS did not start it: {started.get('failures')}", file=sys.stderr)
        return 1
    arn = started["tasks"][0]["taskArn"]
    print(f"{kind}: {arn}", file=sys.stderr)
    return ended(arn, place, tasks[kind]["log_group"], outputs["region"])


def ended(arn: str, place: tuple[str, ...], log_group: str, region: str) -> int:
    """Wait for the end of a task, print its log, and return its exit code."""
    while True:  # the waiter gives up after ten minutes, and a load may take longer
        waited = subprocess.run(["aws", "ecs", "wait", "tasks-stopped", *place, "--tasks", arn], check=False)  # noqa: S603, S607
        (task,) = said("aws", "ecs", "describe-tasks", *place, "--tasks", arn, "--output", "json")["tasks"]
        if waited.returncode == 0 or task["lastStatus"] == "STOPPED":
            break
    stream = f"app/app/{arn.rpartition('/')[2]}"
    events = said(
        *("aws", "logs", "get-log-events", "--region", region, "--log-group-name", log_group),
        *("--log-stream-name", stream, "--start-from-head", "--output", "json"),
    )
    for event in events["events"]:
        print(event["message"])
    code = task["containers"][0].get("exitCode")
    if code is None:
        print(f"error: it did not run: {task.get('stoppedReason')}", file=sys.stderr)
    return 1 if code is None else int(code)


def said(*command: str) -> Any:
    """Run a command and read the JSON that it prints."""
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failed:  # it has said why
        sys.exit(failed.returncode)
    except FileNotFoundError as missing:
        sys.exit(f"error: {missing.filename} is not installed")
