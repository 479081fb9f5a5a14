"""Coordinates as tools rewrite them: fifteen digits, cut off or rounded, and the seventeenth off by one."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal
from pathlib import Path

import pytest

from tests.support.loading.loads import BY_NAME, FileLayout, load_json, read_csv, versions, write_csv

pytestmark = pytest.mark.usefixtures("committed")

GEOLOCATION = BY_NAME["geolocation"]


def rounded(text: str) -> str:
    return format(float(text), ".15g")


def cut_off(text: str) -> str:
    return str(Context(prec=15, rounding=ROUND_DOWN).create_decimal(text))


def off_by_one(text: str) -> str:
    """Add one to the last of seventeen digits, as readr does here and there."""
    number = Decimal(float(text))
    return f"{number:.16e}"[:-5] if False else str(Context(prec=17).create_decimal(number) + Decimal(1).scaleb(number.adjusted() - 16))


def rewritten(folder: Path, into: Path, change: Callable[[str], str]) -> Path:
    into.mkdir()
    rows = read_csv(folder, GEOLOCATION)
    for row in rows:
        for name in ("geolocation_lat", "geolocation_lng"):
            row[name] = change(row[name])
    write_csv(into / GEOLOCATION.file_name, GEOLOCATION.names, ([row[n] for n in GEOLOCATION.names] for row in rows))
    return into


def load_geolocation(folder: Path, *options: str):
    return load_json(folder, "--table", "geolocation", *options)


@pytest.mark.parametrize("change", [rounded, cut_off, off_by_one])
def test_x(change, real_sample: Path, tmp_path: Path) -> None:
    first = load_geolocation(real_sample)
    before = versions()
    ran = load_geolocation(rewritten(real_sample, tmp_path / "again", change))
    print(ran)
    assert versions() == before
