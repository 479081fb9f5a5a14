"""``manage.py sample_olist``: write Olist-shaped files to try everything with."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DataForgeError
from olist.sample import DEFAULT_SCALE, MAX_DIRTY, write_sample

MAX_SCALE = 1_000_000


class Command(BaseCommand):
    """Parse, write, print."""

    help = (
        "Write files shaped like the Olist dataset, with invented content, and truth.json: what is wrong in them. "
        "A sample that lies in DIR already (truth.json tells) is overwritten; other files of these names are not."
    )
    requires_system_checks = ()  # it needs no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="folder to write into; made if it is missing")
        parser.add_argument(
            "--scale", type=_scale, default=DEFAULT_SCALE, help="1 is the published size, 1.55 million records"
        )
        parser.add_argument("--seed", type=_seed, default=1, help="the same seed gives the same bytes")
        parser.add_argument(
            "--dirty", type=_dirty, default=0.0, help=f"share of the records to damage, from 0 to {MAX_DIRTY}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = write_sample(
                options["folder"], scale=options["scale"], seed=options["seed"], dirty=options["dirty"]
            )
        except DataForgeError as error:
            raise CommandError(str(error), returncode=error.exit_code) from error
        for table, count in report.rows.items():
            self.stdout.write(f"{table:<34}{count:>12,}")
        total = sum(report.rows.values())
        self.stdout.write(f"{total:,} records in {report.seconds:.1f} s; what is wrong in them: {report.truth}")


def _scale(value: str) -> float:
    number = _number(value)
    if not 0 < number <= MAX_SCALE:
        raise argparse.ArgumentTypeError(f"{value} is not above 0 and at most {MAX_SCALE:,}")
    return number


def _dirty(value: str) -> float:
    number = _number(value)
    if not 0 <= number <= MAX_DIRTY:
        raise argparse.ArgumentTypeError(f"{value} is not from 0 to {MAX_DIRTY:g}")
    return number


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is no number") from error


def _seed(value: str) -> int:
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is no whole number from 0 on")
    return int(value)
