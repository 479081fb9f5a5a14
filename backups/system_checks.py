"""System checks: the stores of the settings, each a place of its own; and schedules whose store is not among them."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from os.path import realpath
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from backups.files.named_stores import (
    DEFAULT,
    NAME_RULE,
    PLACE_RULE,
    is_name,
    place_problem,
    setting_of,
    store_names,
    store_url,
)
from backups.files.store import full_address
from backups.models import BackupSchedule

_HINT = "BACKUP_STORES holds NAME=PLACE, with commas between, or is an object of JSON."


@register()
def check_stores(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Check that each store has a name and a place, and no two of them the same place."""
    return [*_check_names(), *_check_places(), *_check_neighbours()]


def _check_names() -> Iterator[CheckMessage]:
    for name in settings.DATAFORGE_BACKUP_STORES:
        if name == DEFAULT:
            problem = f"{DEFAULT} is the store of BACKUP_STORE: set its place there."
            yield Error(f"BACKUP_STORES: {problem}", hint=_HINT, id="backups.E001")
        elif not is_name(name):
            yield Error(f"BACKUP_STORES: {name!r} cannot be a store's name.", hint=f"{NAME_RULE}.", id="backups.E001")


def _check_places() -> Iterator[CheckMessage]:
    for name in store_names():
        if problem := place_problem(name):
            yield Error(f"{setting_of(name)}: {problem}.", hint=PLACE_RULE, id="backups.E002")


def _check_neighbours() -> Iterator[CheckMessage]:
    places = {name: _real(full_address(store_url(name))) for name in store_names() if not place_problem(name)}
    for one, other in combinations(places, 2):
        if places[one] == places[other]:
            problem = f"{one} and {other} are one place, {places[one]}"
        elif f"{places[one]}/".startswith(f"{places[other]}/"):
            problem = f"{one} lies within {other}"
        elif f"{places[other]}/".startswith(f"{places[one]}/"):
            problem = f"{other} lies within {one}"
        else:
            continue
        hint = "Give each store a place of its own: a file belongs to one."
        yield Error(f"BACKUP_STORES: {problem}.", hint=hint, id="backups.E003")


def _real(url: str) -> str:
    return url if "://" in url else realpath(url)


@register(Tags.database)
def check_schedules(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Name the schedules that cannot run, since the settings do not have their store."""
    table = BackupSchedule._meta.db_table
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(_HAS_STORES, [table])
            if not cursor.fetchall():  # it is yet to be migrated
                continue
        lost = BackupSchedule.objects.using(alias).filter(enabled=True).exclude(store__in=store_names())
        for name, store in lost.order_by("name").values_list("name", "store"):
            problem = f"The backup schedule {name} fails: the settings have no store {store!r}."
            hint = "Name it in BACKUP_STORES again, or choose another one for the schedule in the admin."
            found.append(checks.Warning(problem, hint=hint, id="backups.W001"))
    return found


_HAS_STORES = "select from pg_attribute where attrelid = to_regclass(%s) and attname = 'store'"
