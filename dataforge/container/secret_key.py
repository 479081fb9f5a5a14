"""The secret key of a trial: made once, kept in the volume, so that nobody needs to give one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 50


def trial_secret_key(folder: Path) -> str:
    """Read the key that lies in ``folder``; make it where none does. Raises ImproperlyConfigured."""
    path = folder / "secret_key"
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{path} cannot be used by user {os.geteuid()}: {error}. Give the container a volume that this user may "
            f"write to (-v data:{folder}), or set DATABASE_URL and SECRET_KEY."
        ) from error


def _make(path: Path) -> None:
    """Let the file have its name when it is whole; of two processes at once, the first wins."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(KEY_BYTES))
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()
