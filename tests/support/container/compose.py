"""A stand-in for `docker compose` on machines without an engine: the services of the file as processes of this machine.

What it takes from ``docker-compose.yml`` is what can go wrong there: names, commands, environment, order, grace.
``STAND_IN_DATABASE`` names the database that stands for the service postgres, ``STAND_IN_PORT`` a free port; the
working folder has ``.env``, and ``data`` stands for the volume. The image is the checkout.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[3]
FILE = PROJECT / "docker-compose.yml"
POSTGRES_IN_FILE = re.compile(r"postgres://\S+@postgres:5432/dataforge")
WEB = ["python", "-m", "dataforge.container"]  # CMD of the Dockerfile


def interpolated(text: str, given: dict[str, str]) -> str:
    """Fill in ``${NAME:-default}`` and ``${NAME:?message}``; ValueError with the message where one is missing."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if not given.get(name) and kind == ":?":
            raise ValueError(f"{name}: {rest}")
        return given.get(name) or rest

    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", value, text)


def services(given: dict[str, str]) -> dict[str, Any]:
    """Read the file as it is for these variables."""
    found: dict[str, Any] = yaml.safe_load(interpolated(FILE.read_text(), given))["services"]
    return found


class Compose:
    """The project of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._data = folder, folder / "data"
        self._data.mkdir(exist_ok=True)
        dotenv = folder / ".env"
        lines = dotenv.read_text().splitlines() if dotenv.exists() else []
        self._services = services(dict(line.split("=", 1) for line in lines if "=" in line))

    def up(self, *options: str) -> int:
        """Start all, or start them anew."""
        assert set(options) <= {"--detach", "--build"}
        if self.run("--rm", "migrate"):
            return 1
        for name in self._later():
            self.stop(name)
            with (self._folder / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    self._command(name), cwd=PROJECT, env=self._environment(name), stdout=log, stderr=log,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
            self._pid_file(name).write_text(str(process.pid))
        return 0

    def stop(self, *names: str) -> int:
        """End services as an engine does: SIGTERM, then SIGKILL after the time of grace, which is a fault here."""
        for name in names or self._later():
            with suppress(FileNotFoundError):
                pid = int(self._pid_file(name).read_text())
                self._pid_file(name).unlink()
                _end(pid, float(self._services[name]["stop_grace_period"].removesuffix("s")))
        return 0

    def build(self) -> int:
        """Build nothing: the checkout is there."""
        assert all(self._services[name]["build"] == "." for name in self._later())
        return 0

    def cp(self, source: str, target: str) -> int:
        """Copy a file into the volume."""
        name, _, path = target.partition(":")
        assert name in self._services
        shutil.copy(self._folder / source, self._local(path))
        return 0

    def exec(self, name: str, *command: str) -> int:
        """Run a command beside a service that is at work."""
        os.kill(int(self._pid_file(name).read_text()), 0)
        return self.run("--rm", name, *command)

    def run(self, option: str, name: str, *command: str) -> int:
        """Run a command, or else the service's own, once."""
        assert option == "--rm"
        line = [sys.executable if part == "python" else self._local(part) for part in command]
        return subprocess.run(
            line or self._command(name), cwd=PROJECT, env=self._environment(name), check=False
        ).returncode

    def _later(self) -> list[str]:
        return [name for name, service in self._services.items() if "migrate" in service.get("depends_on", {})]

    def _command(self, name: str) -> list[str]:
        command = self._services[name].get("command", WEB)
        return [sys.executable if part == "python" else part for part in command]

    def _environment(self, name: str) -> dict[str, str]:
        settings = {
            variable: POSTGRES_IN_FILE.sub(
                os.environ["STAND_IN_DATABASE"], self._local(str(value or ""))
            )  # `${NAME:-}`
            for variable, value in self._services[name]["environment"].items()
        }
        port = os.environ["STAND_IN_PORT"]
        image = {"DATA_DIR": str(self._data), "TMPDIR": str(self._data), "PORT": port, "DEBUG": "off"}
        local = {"GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}", "HOME": str(self._folder)}
        return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **image, **local, **settings}

    def _local(self, text: str) -> str:
        return re.sub(r"(?<!\S)/data\b", str(self._data), text)

    def _pid_file(self, name: str) -> Path:
        return self._folder / f"{name}.pid"


def _end(pid: int, grace_seconds: float) -> None:
    os.killpg(pid, signal.SIGTERM)  # ProcessLookupError where it ended by itself, which is a fault
    with suppress(ProcessLookupError):
        deadline = time.monotonic() + grace_seconds
        while time.monotonic() < deadline:
            os.killpg(pid, 0)
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)
        raise AssertionError(f"{pid} did not stop in {grace_seconds} s")


def main(folder: Path, arguments: list[str]) -> int:
    """Run `docker compose ARGUMENTS` for ``folder``."""
    word, verb, *rest = arguments
    assert word == "compose", arguments
    return int(getattr(Compose(folder), verb)(*rest))


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), sys.argv[1:]))
