"""What killed processes left in a store: files without a manifest, and on S3 open uploads and keys of folders.

Nobody sees an open upload in a list of files, and its parts are paid for. Only what has a name of our making goes, and
not before a day, and nothing of a run or restore whose process lives.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from backups.catalogue.liveness import backup_name, living_of, restore_name
from backups.files.layout import SAFETY, is_our_folder, is_ours, run_digits, unfinished
from backups.files.store import Store
from backups.models import Backup, Restore, Status
from backups.tables import known_models
from core.errors import SourceUnreadable

LEFTOVER_AGE_SECONDS = 86_400.0

type OnFault = Callable[[SourceUnreadable], None]


@dataclass(frozen=True, kw_only=True)
class Prunable:
    """What may go: the file of a backup (``id`` is its number in the catalogue), or something that was left.

    ``remove`` takes it away where that is not the file at ``path``.
    """

    path: str
    why: str
    id: UUID | None = None
    remove: Callable[[], None] | None = field(default=None, compare=False)


@contextmanager
def heard(on_fault: OnFault | None) -> Iterator[None]:
    """Tell ``on_fault``, if there is one, what of a store is at fault, and go on behind the block."""
    try:
        yield
    except SourceUnreadable as fault:
        if on_fault is None:
            raise
        on_fault(fault)


def leftovers(store: Store, *, on_fault: OnFault | None = None) -> Iterator[Prunable]:
    """Find what killed processes left in a store. SourceUnreadable, of which ``on_fault`` hears kind by kind."""
    living = _Living.now()
    for kind in (_files, _uploads, _folder_keys) if store.remote else (_files,):
        with heard(on_fault):
            yield from kind(store, living)


@dataclass(frozen=True)
class _Living:
    """The first digits of all runs (and backups) at work, and whether a restore is: what it keeps is of no run yet."""

    digits: frozenset[str]
    restoring: bool

    @classmethod
    def now(cls) -> "_Living":
        backups = list(Backup.objects.filter(status=Status.RUNNING).values_list("run", "pk"))
        restores = [
            restore_name(pk) for pk in Restore.objects.filter(status=Status.RUNNING).values_list("pk", flat=True)
        ]
        alive = living_of([*{backup_name(run) for run, _ in backups}, *restores])
        digits = {each.hex[:8] for run, pk in backups if backup_name(run) in alive for each in (run, pk)}
        return cls(frozenset(digits), bool(alive & set(restores)))

    def owns(self, name: str) -> bool:
        return run_digits(name) in self.digits or (self.restoring and name.startswith(f"{SAFETY}/"))


def _files(store: Store, living: _Living) -> Iterator[Prunable]:
    now = time.time()
    for name in unfinished(set(store.names())):
        if not living.owns(name) and store.age_seconds(name, now=now) > LEFTOVER_AGE_SECONDS:
            yield Prunable(path=store.path(name), why="left by a backup that did not end")


def _uploads(store: Store, living: _Living) -> Iterator[Prunable]:
    with store.explained(""):
        for upload in store.bucket.open_uploads(store.prefix):
            name = upload.key.removeprefix(store.prefix)
            if is_ours(name) and not living.owns(name) and _is_old(upload.begun_at):
                why = f"an upload begun at {upload.begun_at:%Y-%m-%d %H:%M} UTC that did not end"
                remove = partial(_explained, store, name, partial(store.bucket.abort, upload))
                yield Prunable(path=store.path(name), why=why, remove=remove)


def _folder_keys(store: Store, living: _Living) -> Iterator[Prunable]:
    tables = {*known_models(), *Backup.objects.values_list("table", flat=True).distinct()}
    with store.explained(""):
        for found in store.bucket.folder_keys(store.prefix):
            name = found.key.removeprefix(store.prefix)
            if is_our_folder(name, tables) and not living.owns(name) and _is_old(found.made_at):
                why = "an empty object in place of a folder"
                remove = partial(_explained, store, name, partial(store.bucket.delete, found.key))
                yield Prunable(path=store.path(name), why=why, remove=remove)


def _explained(store: Store, name: str, deed: Callable[[], None]) -> None:
    with store.explained(name):
        deed()


def _is_old(moment: datetime) -> bool:
    return time.time() - moment.timestamp() > LEFTOVER_AGE_SECONDS
