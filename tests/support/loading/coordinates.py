"""The geolocation file as tools rewrite its coordinates."""

import csv
import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Context
from pathlib import Path
from typing import IO

from tests.support.loading.loads import BY_NAME, Ran, load_json, write_csv

GEOLOCATION = BY_NAME["geolocation"]
COORDINATES = ("geolocation_lat", "geolocation_lng")

type Rewrite = Callable[[str], str]


def rounded(text: str) -> str:
    """Round to fifteen digits, as Calc, base R and data.table do."""
    return format(float(text), ".15g")


def cut_off(text: str) -> str:
    """Leave fifteen digits."""
    return str(Context(prec=15, rounding=ROUND_DOWN).create_decimal(text))


def off_by_one(text: str) -> str:
    """Return the next float, as readr does here and there, of one that takes more than fifteen digits."""
    return text if float(rounded(text)) == float(text) else repr(math.nextafter(float(text), math.inf))


def rewritten(file: IO[str], into: Path, rewrite: Rewrite) -> Path:
    """Write the geolocation file that ``file`` holds to the folder ``into``, each coordinate as ``rewrite`` has it."""
    into.mkdir()
    reader = csv.reader(file, strict=True)
    names = next(reader)
    places = [names.index(name) for name in COORDINATES]
    rows = ([rewrite(text) if at in places else text for at, text in enumerate(row)] for row in reader)
    write_csv(into / GEOLOCATION.file_name, names, rows)
    return into


def load_geolocation(folder: Path | str, *options: str) -> Ran:
    """Load that one table."""
    return load_json(folder, "--table", "geolocation", *options)
