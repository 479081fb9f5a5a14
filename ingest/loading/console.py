"""A load on the terminal: progress while it runs, a table of the account when it is done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from ingest.accounts.report import TableReport
from ingest.loading.options import LoadReport, Progress
from ingest.models import OUTCOMES
from ingest.readers.csv.signs import told

# Measured: see docs/database.md.
_SLOWER = "That takes longer: with one key about 1.2 times as long, with all of them twice."
_PLAIN_WIDTH = 140  # columns, where the output is no terminal


class LoadConsole:
    """Prints to ``stream``; the progress bar goes to stderr, and only where that is a terminal."""

    def __init__(self, stream: Any, *, quiet: bool) -> None:
        self._quiet = quiet
        width = None if sys.stdout.isatty() else _PLAIN_WIDTH
        self._out = Console(file=stream, width=width, highlight=False, emoji=False, markup=False)
        self._bars = Console(stderr=True)

    @contextmanager
    def progress(self) -> Iterator[Callable[[Progress], None]]:
        """Show a bar a file, with records, records a second and the time left; return the callback that moves it."""
        if self._quiet or not self._bars.is_terminal:
            yield lambda progress: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[records]:>12,} records"),
            TextColumn("{task.fields[rate]:>10,.0f}/s"),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self._bars, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def move(progress: Progress) -> None:
                if progress.table not in tasks:
                    total = progress.bytes_total or None
                    tasks[progress.table] = bars.add_task(progress.table, total=total, records=0, rate=0.0)
                task = tasks[progress.table]
                elapsed = bars.tasks[task].elapsed or 0.0
                rate = progress.records / elapsed if elapsed else 0.0
                bars.update(task, completed=progress.bytes_read, records=progress.records, rate=rate)

            yield move

    def summary(self, report: LoadReport, *, dry_run: bool) -> None:
        """Print the account as a table, then what it means in a sentence."""
        table = Table(box=None, pad_edge=False)
        table.add_column("table")
        for name in ("read", *OUTCOMES):
            table.add_column(name.replace("_", " "), justify="right")
        table.add_column("repaired")
        for account in report.tables:
            counts = [f"{getattr(account, name):,}" for name in ("read", *OUTCOMES)]
            table.add_row(account.table, *counts, _repairs(account))
        self._out.print(table)
        for line in _sentences(report, dry_run=dry_run):
            self._out.print(line, soft_wrap=True)


def _repairs(report: TableReport) -> str:
    return ", ".join(f"{rule} {count:,}" for rule, count in sorted(report.repaired.items()))


def _sentences(report: LoadReport, *, dry_run: bool) -> Iterator[str]:
    for account in report.tables:
        if account.skipped:
            yield f"{account.table}: not loaded, because a table that it refers to was refused."
        elif account.refusal:
            yield f"{account.table}: refused, {account.refusal}; nothing of it was kept."
        elif account.refused:
            yield f"{account.table}: refused, more than --max-rejects ({account.rejected:,}); nothing of it was kept."
    yield from (f"{loss}." for loss in report.losses)
    yield from (f"{note}. {_SLOWER}" for note in report.notes)
    yield from _lines_read(report)
    total = {name: sum(getattr(account, name) for account in report.tables) for name in ("read", *OUTCOMES)}
    changed = total["inserted"] + total["updated"]
    took = f"{total['read']:,} records in {report.seconds:.1f} s."
    if dry_run:
        yield f"Dry run: nothing was written. {took}"
    elif not total["read"]:
        yield "The files hold no records."
    elif not changed and not total["rejected"]:
        yield f"Nothing changed: every record was there already. {took}"
    else:
        yield f"{changed:,} rows written, {total['rejected']:,} records rejected. {took}"
    if total["rejected"] and not dry_run:
        yield "The rejects, with their reasons, are in the admin under Ingest > Rejected records."


def _lines_read(report: LoadReport) -> Iterator[str]:
    """Say by which signs the files were read, and which lines of them are no records."""
    for tables, sign in told({account.table: account.signs for account in report.tables}):
        yield f"{tables}: {sign}."
    for account in report.tables:
        for kind, lines in account.lines_skipped.items():
            said = f"{lines:,} lines are no records, and were" if lines != 1 else "1 line is no record, and was"
            yield f"{account.table}: {said} skipped ({kind})."
