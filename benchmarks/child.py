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

_STATUS = Path("/proc/self/status")


def in_child(work: Callable[..., None], *arguments: str) -> Run:
    """Call the module-level function ``work`` in a new process, on the same scratch database."""
    from django.db import connection

    name = f"{work.__module__}:{work.__qualname__}"
    command = [sys.executable, "-m", "benchmarks.child", str(connection.settings_dict["NAME"]), name, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[1])
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
    """Serve ``in_child``: database, function, arguments."""
    _, database, name, *arguments = sys.argv
    set_up(database)
    from django.db import connection

    module, _, function = name.partition(":")
    work = getattr(importlib.import_module(module), function)
    connection.ensure_connection()
    run = measure(lambda: work(*arguments))
    sys.stdout.write(json.dumps({"seconds": run.seconds, "peak_bytes": run.peak_bytes}) + os.linesep)


if __name__ == "__main__":
    main()
