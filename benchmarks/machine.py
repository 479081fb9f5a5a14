"""What the figures were measured on."""

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.db import connection

PACKAGES = ("Django", "pyarrow", "pandas", "numpy", "pgpq", "psycopg2-binary")
_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")


def facts() -> dict[str, str]:
    """Describe machine, versions and moment, each as one text; what this system does not tell is left out."""
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    told = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Commit": _commit(),
        "Machine": ", ".join(filter(None, (_processor(), f"{os.cpu_count()} cores", _memory()))),
        "Load average before": f"{os.getloadavg()[0]:.2f}",
        "System": f"{platform.system()} {platform.release()}",
        "Versions": ", ".join([f"Python {platform.python_version()}", _server(), *packages]),
    }
    return {name: text for name, text in told.items() if text}


def code_digest() -> str:
    """Hash the project's code: every run is a process of its own, and has to be one of the same code."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    paths = [root / "gunicorn.conf.py"]
    for room in ("access", "backups", "benchmarks", "core", "dataforge", "ingest", "olist"):
        paths += [path for kind in ("*.py", "*.sql") for path in sorted((root / room).rglob(kind))]
    for path in paths:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def _server() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version')")
        ((number,),) = cursor.fetchall()
    return f"PostgreSQL {number} (as the embedded one is configured, fsync on)"


def _processor() -> str:
    return _field(_CPUINFO, "model name") or platform.processor()


def _memory() -> str:
    kilobytes = _field(_MEMINFO, "MemTotal").removesuffix(" kB")
    return f"{int(kilobytes) / (1 << 20):.0f} GiB" if kilobytes else ""


def _field(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _commit() -> str:
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
