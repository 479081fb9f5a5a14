"""``manage.py load_olist SOURCE``: the historical load."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DataForgeError
from ingest.loading.console import LoadConsole
from ingest.loading.load import load
from ingest.loading.options import LOCK_WAIT_SECONDS, LoadOptions, RejectLimit
from ingest.readers.csv.signs import TIMES, signs_asked
from ingest.rules import null_words
from ingest.rules.sources import sources

EXIT_REFUSED = 1
ASKED = ("times", "null", "escape", "encoding")
EXIT_INTERRUPTED = 130
LONGEST_WAIT_SECONDS = 86_400


class Command(BaseCommand):
    """Load the Olist CSV files into PostgreSQL: cleaned, checked, in foreign-key order."""

    help = "Load the Olist CSV files into PostgreSQL: cleaned, checked, in foreign-key order."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the contract's arguments."""
        tables = [source.table for source in sources()]
        parser.add_argument("source", metavar="SOURCE", help="a folder or the dataset's .zip, here or on s3://")
        parser.add_argument("--table", action="append", default=[], choices=tables, help="only this table (repeat it)")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--max-rejects", type=_limit, metavar="N|P%", help="refuse a file with more rejects")
        parser.add_argument(
            "--on-conflict",
            choices=["reject", "update"],
            default="reject",
            help="of a key that is stored with other content, or comes twice: keep the first, or write the last",
        )
        signs = parser.add_argument_group(
            "what the files mean", "signs that a load asks about, or that it must not guess"
        )
        signs.add_argument(
            "--times", choices=TIMES, help="zones in times: stamps on wall times, or meant as they stand"
        )
        signs.add_argument(
            "--null", type=_word, metavar="WORD", help="this word, without quotes, is NULL; none: no word is"
        )
        signs.add_argument("--escape", choices=["backslash", "none"], help="how quotes in quotes are marked")
        signs.add_argument(
            "--encoding", choices=["utf-8", "utf-8-twice", "cp1252"], help="how the files' characters are written"
        )
        parser.add_argument("--rejects-out", type=Path, metavar="FILE", help="also write the rejects here (NDJSON)")
        parser.add_argument(
            "--wait",
            type=_seconds,
            default=LOCK_WAIT_SECONDS,
            metavar="SECONDS",
            help="how long to wait for tables that another load or a restore holds (%(default)g)",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, call ``load``, print, exit."""
        console = LoadConsole(self.stdout, quiet=options["format"] == "json")
        try:
            with console.progress() as on_progress:
                report = load(
                    options["source"],
                    LoadOptions(
                        tables=tuple(options["table"]),
                        dry_run=options["dry_run"],
                        max_rejects=options["max_rejects"],
                        on_conflict=options["on_conflict"],
                        rejects_out=options["rejects_out"],
                        wait_seconds=options["wait"],
                        signs=signs_asked("--{}", **{name: options[name] or "" for name in ASKED}),
                        on_progress=on_progress,
                    ),
                )
        except DataForgeError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted: the files that were finished stay, the one at work was not kept.",
                returncode=EXIT_INTERRUPTED,
            ) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_json()))
        else:
            console.summary(report, dry_run=options["dry_run"])
        if report.losses or any(table.refused for table in report.tables):
            sys.exit(EXIT_REFUSED)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {LONGEST_WAIT_SECONDS} (a day)")
    return seconds


def _word(text: str) -> str:
    if fault := null_words.fault_of(text):
        raise argparse.ArgumentTypeError(fault)
    return text


def _limit(text: str) -> RejectLimit:
    percent = text.endswith("%")
    try:
        amount = float(text.removesuffix("%"))
    except ValueError:
        amount = -1.0
    if not (0 <= amount <= (100 if percent else float("inf"))) or (not percent and not amount.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of records (100) nor a percentage (2.5%)")
    return RejectLimit(amount, percent)
