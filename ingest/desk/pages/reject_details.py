"""All that helps to understand one reject: the parents it lacks, its kin, and its history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from ingest.models import Batch, RejectedRecord
from ingest.rights import viewable_batches, viewable_tables
from ingest.rules.sources import Source, find_source
from ingest.table_admin.big_tables import as_key

SHOWN_KIN = 20


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A record that the reject refers to and that was not there: is it by now, or was it refused itself?

    ``seen``: whether the person may view its table; of others nothing is looked up.
    """

    table: str
    key: str
    seen: bool
    row: models.Model | None
    rejects: tuple[RejectedRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a reject."""

    at: datetime
    what: str
    who: str = ""
    batch: UUID | None = None
    changes: tuple[tuple[str, str, str], ...] = ()  # field, before, after
    order: int = field(default=0)


@dataclass(frozen=True, kw_only=True)
class Details:
    """What stands beside the record on its page. ``mates``: records of the same group; ``children``: rejects that wait
    for this one; ``batches``: those of its batches that can be looked at."""

    parents: tuple[Parent, ...]
    mates: tuple[RejectedRecord, ...]
    children: tuple[RejectedRecord, ...]
    events: tuple[Event, ...]
    batches: frozenset[UUID]


def details_of(reject: RejectedRecord, user: Any) -> Details:
    """Look up of a reject's surroundings what ``user`` may view."""
    tables = viewable_tables(user)
    near = RejectedRecord.objects.filter(table__in=tables).defer("raw", "record", "correction", "reasons")
    mates = near.filter(last_batch=reject.last_batch_id, group=reject.group).exclude(pk=reject.pk).order_by("pk")
    events = sorted(_events(reject), key=lambda event: (event.at, event.order))
    named = {reject.batch_id, reject.last_batch_id, *(event.batch for event in events if event.batch)}
    seen = viewable_batches(user).filter(pk__in=named) if user.has_perm("ingest.view_batch") else Batch.objects.none()
    return Details(
        parents=_parents(reject, near, tables),
        mates=tuple(mates[:SHOWN_KIN]) if reject.group else (),
        children=tuple(near.filter(parent=reject.pk).order_by("pk")[:SHOWN_KIN]),
        events=tuple(events),
        batches=frozenset(seen.values_list("pk", flat=True)),
    )


def _parents(
    reject: RejectedRecord, near: models.QuerySet[RejectedRecord], tables: Sequence[str]
) -> tuple[Parent, ...]:
    missing = [tuple(waiting.split("/", 1)) for waiting in dict.fromkeys(reject.waits_for)]
    if not missing:
        return ()
    asked = Q(pk=reject.parent_id) if reject.parent_id else Q()
    for table, key in missing:
        asked |= Q(table=table, natural_key=key)
    refused = list(near.filter(asked).order_by("pk")[:SHOWN_KIN])
    return tuple(
        Parent(
            table=table,
            key=key,
            seen=table in tables,
            row=_stored(find_source(table), key) if table in tables else None,
            rejects=tuple(other for other in refused if (other.table, other.natural_key) == (table, key)),
        )
        for table, key in missing
    )


def _stored(source: Source | None, key: str) -> models.Model | None:
    if source is None:
        return None
    (column,) = source.contract.natural_key  # that of a table that others refer to
    name = next(f for f in source.model._meta.concrete_fields if f.column == column)
    value = as_key(name, key)
    return None if value is None else source.model._default_manager.filter(**{name.name: value}).first()


def _events(reject: RejectedRecord) -> list[Event]:
    events = [Event(at=reject.first_seen_at, what="Refused for the first time", batch=reject.batch_id)]
    before: dict[str, Any] = reject.record or {}
    for made in reject.corrections.select_related("user", "batch"):
        what = f"Repaired and replayed: {made.batch.get_status_display()}"
        changes = _changes(before, made.record)
        who = str(made.user or "")
        events.append(Event(at=made.made_at, what=what, who=who, batch=made.batch_id, changes=changes, order=1))
        before = made.record
    if reject.times_seen > 1:
        what = f"Came again unchanged, {reject.times_seen - 1:,} more in all"
        events.append(Event(at=reject.last_seen_at, what=what, order=2))
    if reject.closed_at:
        why = f": {reject.closed_why}" if reject.closed_why else ""
        what = f"Closed as {reject.get_status_display()}{why}"
        batch = reject.last_batch_id if reject.status == RejectedRecord.Status.REPLAYED else None
        events.append(Event(at=reject.closed_at, what=what, who=str(reject.closed_by or ""), batch=batch, order=3))
    elif reject.attempts and reject.last_batch.origin == Batch.Origin.REPLAY:
        what = f"Replayed, and refused again (attempt {reject.attempts})"
        events.append(Event(at=reject.last_seen_at, what=what, batch=reject.last_batch_id, order=3))
    return events


def _changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    names = dict.fromkeys([*before, *after])
    pairs = ((name, str(before.get(name) or ""), str(after.get(name) or "")) for name in names)
    return tuple((name, old, new) for name, old, new in pairs if old != new)
