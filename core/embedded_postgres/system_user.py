"""Which system user runs the server: PostgreSQL refuses root, so root runs it as a user of its own."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import EmbeddedPostgresFailed

SYSTEM_USER = "dataforge-postgres"
USERS_FOLDER = "/etc"
OTHERS_TRAVERSE = 0o001
USERADD_NAME_TAKEN = 9


@dataclass(frozen=True, kw_only=True)
class SystemUser:
    """The user who owns the data and runs the server; ``switch`` says whether that is another than this process's."""

    uid: int
    gid: int
    switch: bool

    def subprocess_options(self) -> dict[str, Any]:
        """Return the arguments of ``subprocess.run`` that make a child run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def own(self, path: Path) -> None:
        """Make this user the owner of one file or folder."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def own_tree(self, path: Path) -> None:
        """Make this user the owner of a folder and of all that is in it."""
        if self.switch:
            for folder, _, files in os.walk(path):
                for name in ("", *files):
                    os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)

    def reach(self, path: Path) -> None:
        """Let this user pass through every folder above ``path`` (others' execute bit only: no listing, no reading)."""
        if self.switch:
            for folder in path.parents:
                status = folder.stat()
                if status.st_uid != self.uid and not status.st_mode & OTHERS_TRAVERSE:
                    folder.chmod(status.st_mode | OTHERS_TRAVERSE)


def system_user_for(folder: Path) -> SystemUser:
    """Say who runs the server of ``folder``. Raises EmbeddedPostgresFailed where the folder is somebody else's."""
    me = os.geteuid()
    if me != 0:
        if folder.exists() and (owner := folder.stat().st_uid) != me:
            raise EmbeddedPostgresFailed(
                folder=folder,
                problem=f"it belongs to user {user_name(owner)}, and you are {user_name(me)}",
                remedy=f"Work as {user_name(owner)}, remove that folder as {user_name(owner)}, or set DATABASE_URL.",
            )
        return SystemUser(uid=me, gid=os.getegid(), switch=False)
    data = folder / "data"
    if data.exists() and (status := data.stat()).st_uid != 0:
        return SystemUser(uid=status.st_uid, gid=status.st_gid, switch=True)
    entry = _system_user(folder)
    return SystemUser(uid=entry.pw_uid, gid=entry.pw_gid, switch=True)


def user_name(uid: int) -> str:
    """Name a user, by number where the system knows no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _system_user(folder: Path) -> pwd.struct_passwd:
    """Find the user, or make it: one process at a time, whatever checkout it is of.

    ``useradd`` looks for the name before it takes its own lock: of two at once the second gives the user of the first
    another number, and what was handed to the first number belongs to nobody.
    """
    problem = ""
    with _one_at_a_time():
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            command = [shutil.which("useradd") or "/usr/sbin/useradd", "--system", "--no-create-home"]
            problem = _failure([*command, "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER])
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as missing:
        raise EmbeddedPostgresFailed(
            folder=folder,
            problem=f"PostgreSQL does not run as root, and the user {SYSTEM_USER} could not be made: {problem}",
            remedy=f"Make a system user {SYSTEM_USER}, work as a plain user, or set DATABASE_URL.",
        ) from missing


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    descriptor = os.open(USERS_FOLDER, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _failure(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    except OSError as error:
        return str(error)
    # A tool of the administrator may have made the user at the same moment.
    return "" if result.returncode in {0, USERADD_NAME_TAKEN} else result.stderr.strip()
