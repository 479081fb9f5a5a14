"""The latest days on which rejects were seen, with counts."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from ingest.desk.search.cells import RejectCell, keys_of
from ingest.desk.search.counts import Count, rounded
from ingest.desk.search.find import WITH_REJECTS_AMONG
from ingest.desk.search.spans import EVER, day_span

SHOWN_DAYS = 7
COUNTED_ROWS = 200  # of one day and one kind of rejects; a day with more of a kind is estimated

# Finds the latest days that have rejects, and counts these up to a limit: from the newest reject to the newest of an
# earlier day, and so on, by the index of each cell.
_LATEST_DAYS = """
with recursive c as materialized (
    select * from unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[])
        c (fingerprint, status, origin)
), day as (
    select 0 as place, %(end)s::timestamptz as newest
    union all
    select day.place + 1, (
        select max(n.last_seen_at) from c cross join lateral (
            select last_seen_at from ingest_rejectedrecord r
            where r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
                and r.last_seen_at < date_trunc('day', day.newest, %(zone)s)
            order by last_seen_at desc limit 1) n)
    from day where day.place < %(shown)s and day.newest is not null
), shown as (
    select lower, (lower at time zone %(zone)s + interval '1 day') at time zone %(zone)s as upper
    from (select date_trunc('day', newest, %(zone)s) as lower from day where place > 0 and newest is not null) d
)
select (d.lower at time zone %(zone)s)::date, sum(counted.rows), bool_or(counted.rows > %(limit)s)
from shown d cross join c
cross join lateral (select count(*) as rows from (
    select from ingest_rejectedrecord r
    where r.fingerprint = c.fingerprint and r.status = c.status and r.origin = c.origin
        and r.last_seen_at >= d.lower and r.last_seen_at < d.upper
    limit %(limit)s + 1
) found) counted
group by d.lower order by d.lower desc
"""
# Counts the rejects of some numbers by day, all of them.
_LATEST_DAYS_AMONG = (
    WITH_REJECTS_AMONG
    + """
select (r.last_seen_at at time zone %(zone)s)::date as day, count(*), false from r
join unnest(%(prints)s::bigint[], %(statuses)s::text[], %(origins)s::text[]) c (fingerprint, status, origin)
    using (fingerprint, status, origin)
group by day order by day desc limit %(shown)s
"""
)
# Is never run, only explained: the planner guesses how many rejects one day has.
_REJECTS_OF_DAY = """
select from ingest_rejectedrecord where fingerprint = any(%s) and status = any(%s) and origin = any(%s)
    and last_seen_at >= %s and last_seen_at < %s
"""


def count_days(cursor: CursorWrapper, chosen: Sequence[RejectCell], among: tuple[int, ...] | None) -> dict[date, Count]:
    """Count rejects by the day on which they were last seen, the latest ``SHOWN_DAYS`` first; none without any.

    What is not counted to its end is the planner's guess.
    """
    facts: dict[str, Any] = {
        **keys_of(chosen),
        "end": EVER[1],
        "zone": timezone.get_current_timezone_name(),
        "shown": SHOWN_DAYS,
        "among": list(among or ()),
        "limit": COUNTED_ROWS,
    }
    cursor.execute(_LATEST_DAYS if among is None else _LATEST_DAYS_AMONG, facts)
    counts = {day: Count(int(rows), "over" if over else "exact") for day, rows, over in cursor.fetchall()}
    vague = [day for day, count in counts.items() if count.kind == "over"]
    return counts | (_guessed(cursor, {day: counts[day] for day in vague}, chosen) if vague else {})


def _guessed(cursor: CursorWrapper, counts: dict[date, Count], chosen: Sequence[RejectCell]) -> dict[date, Count]:
    keys: list[Any] = [sorted(set(values)) for values in keys_of(chosen).values()]
    query = " union all ".join(_REJECTS_OF_DAY for _ in counts)
    cursor.execute("set local max_parallel_workers_per_gather = 0")  # one part of the plan for each day
    cursor.execute(f"explain (format json) {query}", [fact for day in counts for fact in (*keys, *day_span(day))])
    explained = cursor.fetchone()[0]
    cursor.execute("set local max_parallel_workers_per_gather to default")
    plan = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    guesses = [part["Plan Rows"] for part in (plan["Plans"] if len(counts) > 1 else [plan])]
    return {
        day: Count(rounded(max(int(guess), count.rows)), "about")
        for (day, count), guess in zip(counts.items(), guesses, strict=True)
    }
