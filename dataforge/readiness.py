"""Whether the database has what the site needs: asked at the first question and once a minute, remembered between."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

from dataforge.needs import Lack, lacks, reads_only
from ingest.rules.sources import sources

TIMEOUT_SECONDS = 2
BELIEVED_SECONDS = 60.0
LACK_BELIEVED_SECONDS = 1.0  # whoever mends it sees that at once
UNKNOWN = "unknown"
_READ = ("SELECT",)
_KEPT = ("SELECT", "INSERT", "UPDATE")  # rows of the dataset: no batch deletes one
_OWN = (*_KEPT, "DELETE")
_MIGRATIONS = "django_migrations"
_ONLY_READ = {_MIGRATIONS, "django_content_type", "auth_permission"}  # but for `migrate`

type Migration = tuple[str, str]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a whole look at the database found. ``missing``: migrations, None where they cannot be read."""

    missing: tuple[Migration, ...] | None
    lacks: tuple[Lack, ...]
    until: float  # of the monotonic clock

    @property
    def ready(self) -> bool:
        """Tell that nothing is lacking."""
        return self.missing == () and not self.lacks

    @property
    def only_reads(self) -> bool:
        """Tell that the server took no writes."""
        return any(lack.kind == "server" for lack in self.lacks)

    @property
    def migrations(self) -> str | list[str]:
        """Say how migrations stand: ``ok``, ``unknown``, or which are missing."""
        if self.missing is None:
            return UNKNOWN
        return [f"{app}.{name} is not applied" for app, name in self.missing] or "ok"


class Readiness:
    """What this process last knew of its database."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Look at everything at the next question."""
        self._known: Known | None = None
        self._logged, self._logged_until = "", 0.0

    def look(self) -> Known:
        """Return what is known; DatabaseError or DataForgeError where the server does not answer now."""
        with _own_cursor() as cursor:
            known = self._known
            if known is None or time.monotonic() >= known.until or reads_only(cursor) != known.only_reads:
                self._known = known = _ask(cursor)
                self._log(known)
        return known

    def _log(self, known: Known) -> None:
        """Name all that is lacking: where it is something else than before, and once a minute."""
        migrations = known.migrations if isinstance(known.migrations, list) else []
        text = "; ".join(part.rstrip(";") for part in [*migrations, *(lack.text for lack in known.lacks)])
        if text and (text != self._logged or time.monotonic() >= self._logged_until):
            _log.error("not ready: %s", text)
            self._logged_until = time.monotonic() + BELIEVED_SECONDS
        self._logged = text


readiness = Readiness()


def _ask(cursor: CursorWrapper) -> Known:
    """Look at everything. Of all tables that of the migrations alone is read; the catalogue tells of the others."""
    found = lacks(cursor, _needed())
    of_migrations = {lack.kind for lack in found if lack.table == _MIGRATIONS}
    missing: tuple[Migration, ...] | None = None
    if "rights" not in of_migrations:
        missing = tuple(sorted(_expected() - (set() if "table" in of_migrations else _applied(cursor))))
    if missing:  # they make the other tables
        found = [lack for lack in found if lack.kind != "table" or lack.table == _MIGRATIONS]
    believed = LACK_BELIEVED_SECONDS if found or missing != () else BELIEVED_SECONDS
    return Known(missing=missing, lacks=tuple(found), until=time.monotonic() + believed)


def _applied(cursor: CursorWrapper) -> set[Migration]:
    """Read the migrations by this connection: Django's own recorder asks by the one that is kept for requests."""
    cursor.execute("select app, name from django_migrations")
    return set(cursor.fetchall())


@cache
def _expected() -> set[Migration]:
    """Return every migration that this program comes with."""
    return set(MigrationLoader(None).graph.nodes)


@cache
def _needed() -> dict[str, tuple[str, ...]]:
    """Return every table that the site works with, and its rights on each."""
    of_models = [model._meta for model in apps.get_models(include_auto_created=True)]
    tables = {meta.db_table for meta in of_models if meta.managed and not meta.proxy and not meta.swapped}
    needed: dict[str, tuple[str, ...]] = dict.fromkeys(tables, _OWN)
    needed |= dict.fromkeys((source.contract.db_table for source in sources()), _KEPT)
    return needed | dict.fromkeys(_ONLY_READ, _READ)


@contextmanager
def _own_cursor() -> Iterator[CursorWrapper]:
    """Open a connection of its own, which gives up soon: the kept one may be at work, or wait for minutes."""
    connection = connections["default"].copy()
    connection.settings_dict["OPTIONS"]["connect_timeout"] = TIMEOUT_SECONDS
    try:
        connection.set_autocommit(False)  # one transaction: behind a pooler, a SET outside of one would stay for others
        with connection.cursor() as cursor:
            cursor.execute("set local statement_timeout = %s", [f"{TIMEOUT_SECONDS}s"])
            yield cursor
    finally:
        connection.close()
