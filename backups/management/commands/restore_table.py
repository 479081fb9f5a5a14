"""``manage.py restore_table TABLE [--from PATH | --at TIME] [--mode replace|merge] [--dry-run] [--with-children]``."""

import argparse
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from backups.console import exits
from backups.models import Restore
from backups.restoring.report import RestoreReport, TableRestore
from backups.restoring.restore import RestoreOrder, restore


class Command(BaseCommand):
    """Bring a table back to a backup."""

    help = "Bring a table back to a backup: wholly, verified before it is committed, or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("table", metavar="TABLE", help="as in the database, or app.Model")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--from", dest="path", metavar="PATH", help="this backup file")
        which.add_argument("--at", type=_moment, metavar="TIME", help="the newest from before then (YYYY-MM-DD HH:MM)")
        parser.add_argument("--mode", choices=Restore.Mode.values, help="default: merge where at most a fifth differs")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")
        parser.add_argument("--with-children", action="store_true", help="also the tables that refer to it")
        parser.add_argument("--no-safety-backup", action="store_true", help="do not back up what is there now first")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``restore``, print."""
        with exits("nothing was changed."):
            order = RestoreOrder(
                options["table"],
                path=options["path"],
                at=options["at"],
                mode=options["mode"],
                dry_run=options["dry_run"],
                with_children=options["with_children"],
            )
            report = restore(order, safety_backup=not options["no_safety_backup"])
        self._print(report)

    def _print(self, report: RestoreReport) -> None:
        for table in report.tables:
            self.stdout.write(f"{table.table}: {_said(table, dry_run=report.dry_run)}")
            for line in (*(f"note: {note}" for note in table.notes), *table.examples):
                self.stdout.write(f"  {line}")
            if table.safety:
                self.stdout.write(f"  what was there before: {table.safety}")
        for orphans in report.orphans:
            self.stdout.write(f"would be refused: {orphans}")
        done = "nothing was changed" if report.dry_run else "verified by fingerprint and committed"
        self.stdout.write(f"{done}; {report.seconds:.1f} s.")


def _said(table: TableRestore, *, dry_run: bool) -> str:
    verb = "would be restored" if dry_run else "restored"
    said = f"{table.rows:,} rows {verb} by {table.mode} from {table.path}"
    if table.added is None:
        return said
    return f"{said}\n  {table.added:,} rows added, {table.changed:,} changed, {table.removed:,} removed"


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError:
        moment = day = None
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day, 23, 59, 59, 999999)
    if moment is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it as 2026-11-24 or '2026-11-24 03:30'")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
