"""Where the server's socket lies: beside the data, or in a short private folder where that path is too long."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from core.embedded_postgres.system_user import SystemUser, user_name
from core.errors import EmbeddedPostgresFailed

PORT = 5432
# The kernel's limit is 108 bytes on Linux and 104 on macOS, with the closing NUL.
MAX_SOCKET_PATH_BYTES = 103
# PostgreSQL and libpq split lists of folders at commas, and quote them each in its own way.
PLAIN_PATH = re.compile(r"/[\w./ +@=:-]*", re.ASCII)


def socket_folder(folder: Path, system_user: SystemUser) -> Path:
    """Choose the folder of the socket and make it, for ``system_user`` only. Raises EmbeddedPostgresFailed."""
    name = f"dataforge-{system_user.uid}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    shorter = [Path(base) for base in (None if system_user.switch else runtime, tempfile.gettempdir(), "/tmp") if base]  # noqa: S108 - owner and mode are checked below
    for place in (folder / "run", *(base.absolute() / name for base in shorter if base.is_dir())):
        if _fits(place):
            _make_private(place, folder, system_user)
            return place
    raise EmbeddedPostgresFailed(
        folder=folder,
        problem="no folder with a path short enough for a Unix socket was found",
        remedy="Set TMPDIR to a folder with a short path.",
    )


def _fits(place: Path) -> bool:
    socket = place / f".s.PGSQL.{PORT}"
    return len(os.fsencode(socket)) <= MAX_SOCKET_PATH_BYTES and PLAIN_PATH.fullmatch(str(place)) is not None


def _make_private(place: Path, folder: Path, system_user: SystemUser) -> None:
    if not os.path.lexists(place):
        place.mkdir(mode=0o700)
    status = place.lstat()
    if system_user.switch and stat.S_ISDIR(status.st_mode) and status.st_uid == 0:
        # Root made it: just now, or by copying the whole folder.
        system_user.own(place)
        status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != system_user.uid:
        raise EmbeddedPostgresFailed(
            folder=folder,
            problem=f"{place}, the folder of its socket, is not a folder of user {user_name(system_user.uid)}",
            remedy=f"Remove {place}.",
        )
    place.chmod(0o700)
    system_user.reach(place)
