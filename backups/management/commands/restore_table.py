"""``manage.py restore_table TABLE [--from PATH | --at TIME]``, or ``restore_table --all [--run ID | --at TIME]``."""

import argparse
import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from backups.console import exits
from backups.models import Restore
from backups.restoring.report import RestoreReport, TableRestore
from backups.restoring.restore import RestoreOrder, restore
from backups.restoring.restore_all import RunOrder, restore_all

_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f-]{0,27})?")
_INDENT = 2


class Command(BaseCommand):
    """Bring a table, or all tables of a run, back to a backup."""

    help = "Bring a table, or all tables of a run, back to a backup: verified before it is committed, or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("table", nargs="?", metavar="TABLE", help="as in the database, or app.Model")
        parser.add_argument("--all", action="store_true", help="all tables of one run, in one transaction")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--from", dest="path", metavar="PATH", help="this backup file")
        which.add_argument("--run", type=_run, metavar="ID", help="with --all: this run (the newest complete one)")
        which.add_argument("--at", type=_moment, metavar="TIME", help="the newest from before then (YYYY-MM-DD HH:MM)")
        parser.add_argument("--mode", choices=Restore.Mode.values, help="default: merge where at most a fifth differs")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")
        parser.add_argument("--with-children", action="store_true", help="also the tables that refer to it")
        parser.add_argument("--fallback", action="store_true", help="where it is damaged, take the next older one")
        parser.add_argument("--no-safety-backup", action="store_true", help="do not back up what is there now first")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``restore`` or ``restore_all``, print."""
        _refuse_mixtures(options)
        how = {name: options[name] for name in ("at", "mode", "dry_run")}
        ways = {"safety_backup": not options["no_safety_backup"], "fallback": options["fallback"]}
        with exits("nothing was changed."):
            if options["all"]:
                report = restore_all(RunOrder(run=options["run"], **how), **ways)
            else:
                children = options["with_children"]
                report = restore(
                    RestoreOrder(options["table"], path=options["path"], with_children=children, **how), **ways
                )
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=_INDENT))
        else:
            self._print(report)

    def _print(self, report: RestoreReport) -> None:
        if report.instead:
            self.stdout.write(report.instead)
        for table in report.tables:
            self.stdout.write(f"{table.table}: {_said(table, dry_run=report.dry_run)}")
            for line in (*table.passed_over, *(f"note: {note}" for note in table.notes), *map(str, table.differences)):
                self.stdout.write(f"  {line}")
            if table.safety:
                self.stdout.write(f"  what was there before: {table.safety}")
        for orphans in report.orphans:
            self.stdout.write(f"would be refused: {orphans}")
        done = "nothing was changed" if report.dry_run else "verified by fingerprint and committed"
        of_run = f"run {report.run}: " if report.run else ""
        self.stdout.write(f"{of_run}{done}; {report.seconds:.1f} s.")


def _refuse_mixtures(options: dict[str, Any]) -> None:
    if bool(options["table"]) == options["all"]:
        raise CommandError("Name the table, or give --all.", returncode=2)
    if options["all"] and (options["path"] or options["with_children"]):
        raise CommandError("--all restores the tables of a run: neither --from nor --with-children.", returncode=2)
    if options["run"] and not options["all"]:
        raise CommandError("--run goes with --all; a table's file is named by --from.", returncode=2)
    if options["fallback"] and (options["path"] or options["run"]):
        raise CommandError("--fallback goes without --from and --run, which name one backup.", returncode=2)


def _said(table: TableRestore, *, dry_run: bool) -> str:
    verb = "would be restored" if dry_run else "restored"
    said = f"{table.rows:,} rows {verb} by {table.mode} from {table.path}"
    if table.added is None:
        return said
    return f"{said}\n  {table.added:,} rows added, {table.changed:,} changed, {table.removed:,} removed"


def _run(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        if _RUN.fullmatch(text.lower()):
            return text.lower()
    raise argparse.ArgumentTypeError(f"{text!r} is no run: write the eight digits that list_backups shows, or all 32")


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
