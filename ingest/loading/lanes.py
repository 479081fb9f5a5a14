"""Lanes: files that refer to one another are loaded in order, files that do not side by side.

A lane is two threads and a connection: one reads and checks ahead (``read_ahead``), the other feeds PostgreSQL and
waits for it. The caller's thread only watches, so that Ctrl-C ends even a long index build at once.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from uuid import UUID

import psycopg2
import pyarrow as pa
from django.db import connection

from core.postgres.locks.held_locks import HeldLocks
from ingest.accounts.report import TableReport
from ingest.loading.file_plan import FilePlan
from ingest.loading.load_file import RejectsSink, load_file
from ingest.loading.options import LoadOptions
from ingest.loading.read_ahead import CloseKeys, Reading, StageNeeded
from ingest.loading.write_table import ChecksIncomplete, RefusedUnforeseen
from ingest.readers.csv.signs import Signs
from ingest.readers.places.locations import Location
from ingest.rules.sources import Source, sources
from ingest.tables.hashed_parents import LoadParents

log = logging.getLogger(__name__)


class Lane:
    """Some Sources that refer to one another, parents first; ``run`` fills ``reports`` (by table)."""

    def __init__(
        self,
        chosen: Sequence[Source],
        location: Location,
        options: LoadOptions,
        signs: Mapping[str, Signs],
        *,
        batch: UUID | None,
        locks: HeldLocks,
        sink: RejectsSink | None,
    ) -> None:
        self.reports: dict[str, TableReport] = {}
        self._chosen, self._location, self._options, self._signs = chosen, location, options, signs
        self._batch, self._locks, self._sink = batch, locks, sink
        self._parents = LoadParents(sources())
        self._refused_late: dict[str, pa.Table] = {}  # by table: rows that the checks accepted and PostgreSQL did not
        self._reading: Reading | None = None
        self._session: psycopg2.extensions.connection | None = None
        self._stopped = False

    def run(self) -> None:
        """Load the files, one transaction each, over a connection of this thread's own."""
        try:
            connection.ensure_connection()
            self._session = connection.connection
            self._load_files()
        finally:
            self._session = None
            connection.close()

    def stop(self) -> None:
        """End ``run`` from another thread, whatever it waits for; the file at work is rolled back."""
        self._stopped = True
        if self._reading is not None:
            self._reading.abort()
        session = self._session
        if session is not None and not session.closed:
            try:
                session.cancel()
            except psycopg2.Error as error:  # the connection is gone, and with it what there was to cancel
                log.info("nothing to cancel: %s", error)

    def _load_files(self) -> None:
        """Load file after file; the reading starts anew where it ran ahead on an assumption that failed."""
        plans = [
            FilePlan(source, staged=not is_empty(source), signs=self._signs[source.table]) for source in self._chosen
        ]
        self._read_parents(sources())
        while plans and not self._stopped:
            self._reading = Reading(self._location, plans, self._parents, self._options)
            try:
                plans = self._take(plans, self._reading)
            finally:
                self._reading.stop()
            if plans:
                done = {report.table for report in self.reports.values() if not report.refused}
                self._read_parents(s for s in sources() if s.table not in done or s.table in self._refused_late)
                for table, rows in self._refused_late.items():
                    self._parents.refuse(table, rows)

    def _read_parents(self, of: Iterable[Source]) -> None:
        wanted = {reference.table for source in self._chosen for reference in source.contract.references}
        with connection.cursor() as cursor:
            for source in of:
                if source.table in wanted:
                    self._parents.forget(source.table)
                    self._parents.preload(cursor, source.contract)

    def _take(self, plans: list[FilePlan], reading: Reading) -> list[FilePlan]:
        """Load ``plans`` until the first surprise; return those that are still to be loaded."""
        for number, plan in enumerate(plans):
            later = plans[number + 1 :]
            blocks = reading.blocks()
            try:
                report = load_file(
                    plan,
                    blocks,
                    location=self._location,
                    options=self._options,
                    batch=self._batch,
                    locks=self._locks,
                    sink=self._sink,
                )
            except (ChecksIncomplete, StageNeeded):
                return [replace(plan, staged=True), *later]
            except CloseKeys as close:
                return [replace(plan, watch=close.watch), *later]
            except RefusedUnforeseen as refused:
                return [replace(plan, known=pa.concat_tables([plan.known, refused.reasons])), *later]
            self.reports[plan.source.table] = report
            if report.refused:
                return self._without_children(plan.source, later)
            if blocks.result.refused_late:
                self._refused_late[plan.source.table] = pa.concat_tables(blocks.result.refused_late)
                return later
        return []

    def _without_children(self, refused: Source, later: list[FilePlan]) -> list[FilePlan]:
        """Leave out the files that refer to a refused one, and say so in their reports."""
        stopped, kept = {refused.table}, []
        for plan in later:
            if stopped & {reference.table for reference in plan.source.contract.references}:
                stopped.add(plan.source.table)
                self.reports[plan.source.table] = TableReport(table=plan.source.table, refused=True, skipped=True)
            else:
                kept.append(plan)
        return kept


def run_lanes(lanes: Sequence[Lane]) -> None:
    """Run ``lanes`` side by side; the first error, or Ctrl-C, stops them all and is raised."""
    with ThreadPoolExecutor(max_workers=max(len(lanes), 1), thread_name_prefix="load") as pool:
        running = [pool.submit(copy_context().run, lane.run) for lane in lanes]
        try:
            for done in wait(running, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException:
            for lane in lanes:
                lane.stop()
            raise


def apart(chosen: Sequence[Source]) -> list[list[Source]]:
    """Divide Sources into groups that do not refer to one another; the order within a group is kept."""
    groups: list[tuple[set[str], list[Source]]] = []
    for source in chosen:
        tables, members = {source.table, *(reference.table for reference in source.contract.references)}, [source]
        for group in [group for group in groups if group[0] & tables]:
            groups.remove(group)
            tables, members = tables | group[0], [*group[1], *members]
        groups.append((tables, members))
    return [[source for source in chosen if source in members] for _, members in groups]


def is_empty(source: Source) -> bool:
    """Say whether the Source's table has no rows."""
    return not source.model._default_manager.exists()
