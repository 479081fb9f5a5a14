"""One run in a process of its own: it measures itself, so neither the interpreter's start nor the connecting counts.

What a library costs at its first use does count, as it does for whoever runs a load.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.frame import Run
from benchmarks.scratch import set_up

PROJECT = Path(__file__).resolve().parents[1]
PEERS = PROJECT / ".venv" / "peers"  # packages that only the peers' own processes see; made by `make bench`
_STATUS = Path("/proc/self/status")


def in_child(work: Callable[..., None], *arguments: str) -> Run:
    """Call the module-level function ``work`` in a new process, on the same scratch database."""
    from django.db import connection

    return _run(str(connection.settings_dict["NAME"]), f"{work.__module__}:{work.__qualname__}", *arguments)


def in_peer(name: str, *arguments: str) -> Run:
    """Call ``module:function`` in a process that sees the peers' packages and in which Django is not set up."""
    return _run("", name, *arguments, PYTHONPATH=str(PEERS), RUNTIME__DLTHUB_TELEMETRY="false")


def _run(database: str, name: str, *arguments: str, **environment: str) -> Run:
    command = [sys.executable, "-m", "benchmarks.child", database, name, *arguments]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=PROJECT, env=variables)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def measure(work: Callable[[], None]) -> Run:
    """Time ``work`` and take this process's peak memory after it."""
    started = time.perf_counter()
    work()
    return Run(seconds=time.perf_counter() - started, peak_bytes=_peak_bytes())


def _peak_bytes() -> int:
    if _STATUS.exists():  # ru_maxrss would be the parent's where that was larger: Linux hands it down
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Serve ``in_child`` and ``in_peer`` (no database): database, function, arguments."""
    _, database, name, *arguments = sys.argv
    if database:
        set_up(database)
        from django.db import connection

        connection.ensure_connection()
    module, _, function = name.partition(":")
    work = getattr(importlib.import_module(module), function)
    run = measure(lambda: work(*arguments))
    sys.stdout.write(json.dumps({"seconds": run.seconds, "peak_bytes": run.peak_bytes}) + os.linesep)


if __name__ == "__main__":
    main()
