"""``manage.py sample_olist``: write Olist-shaped files to try everything with."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dataforge.errors import DataForgeError
from olist.sample import DEFAULT_SCALE, MAX_DIRTY, write_sample


class Command(BaseCommand):
    """Parse, write, print."""

    help = "Write files shaped like the Olist dataset, with invented content, and truth.json: what is wrong in them."
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
    return _number(value, above=0.0, most=float("1e6"))


def _dirty(value: str) -> float:
    return 0.0 if float(value) == 0 else _number(value, above=0.0, most=MAX_DIRTY)


def _number(value: str, *, above: float, most: float) -> float:
    number = float(value)
    if not above < number <= most:
        raise argparse.ArgumentTypeError(f"{value} is not above {above:g} and at most {most:g}")
    return number


def _seed(value: str) -> int:
    if int(value) < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative")
    return int(value)
