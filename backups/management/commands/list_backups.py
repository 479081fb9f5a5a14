"""``manage.py list_backups [TABLE...] [--latest] [--format table|paths] [--scan [NAME|URL]]``."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper

from backups.catalogue.scan import CatalogueEntry, latest, listed, scan
from backups.console import exits, moment, print_table, size
from backups.files.named_stores import store_at, store_names
from core.errors import SourceUnreadable

RUN_DIGITS = 8  # by which `restore_table --run` knows it


class Command(BaseCommand):
    """List the finished backups."""

    help = "List the finished backups, the newest of each table first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        parser.add_argument("tables", nargs="*", metavar="TABLE", help="only of these tables")
        parser.add_argument(
            "--latest", action="store_true", help="of each table only the newest that is verified; exit 1 without one"
        )
        parser.add_argument("--format", choices=["table", "paths"], default="table", help="paths: for scripts")
        parser.add_argument(
            "--scan",
            nargs="?",
            const="",
            metavar="NAME|URL",
            help="first enter what lies there (default: in all stores of the settings) and the catalogue does not know",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``scan`` and ``listed`` or ``latest``, print."""
        paths = options["format"] == "paths"
        with exits("the catalogue is as it was."):
            if options["scan"] is not None:
                self._scan(options["scan"], self.stderr if paths else self.stdout)
            entries = (latest if options["latest"] else listed)(options["tables"])
        if paths:
            self.stdout.write("".join(f"{entry.path}\n" for entry in entries), ending="")
        else:
            self._print(entries)

    def _scan(self, place: str, out: OutputWrapper) -> None:
        """Enter what lies at ``place``, or in all stores; one that cannot be looked into keeps no other."""
        faults = []
        for one in [place] if place else store_names():
            try:
                report = scan(store_at(one))
            except SourceUnreadable as fault:
                faults.append(fault)
                continue
            where = "" if place or len(store_names()) == 1 else f"{one}: "
            out.write(f"{where}{report.manifests} manifests, {report.added} of them new to the catalogue.")
            for problem in report.unreadable:
                self.stderr.write(problem)
        for earlier in faults[:-1]:
            self.stderr.write(str(earlier))
        if faults:
            raise faults[-1]

    def _print(self, entries: Sequence[CatalogueEntry]) -> None:
        rows = [
            [
                entry.table,
                moment(entry.snapshot_at),
                f"{entry.rows:,}",
                size(entry.bytes),
                entry.origin,
                str(entry.run)[:RUN_DIGITS],
                moment(entry.verified_at) or "not yet",
                moment(entry.drilled_at) or "not yet",
                entry.path,
            ]
            for entry in entries
        ]
        headers = ["table", "snapshot", "rows", "size", "origin", "run", "verified", "drilled", "file"]
        print_table(self.stdout, headers, rows, numbers={"rows", "size"})
