"""Files as they come after a spreadsheet, pandas or another exporter had them: the tables are the same."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.postgres.fingerprint import Fingerprint
from olist.sample.layout import CellKind, FileLayout
from tests.support.loading.loads import SHARED, fingerprints, load_json, map_cells
from tests.support.postgres.emptying import empty_tables

pytestmark = pytest.mark.usefixtures("committed")
ZONE = ZoneInfo("America/Sao_Paulo")
FORMS: dict[str, Fingerprint] = {}

type Spell = Callable[[str], str]


def instant(text: str) -> datetime | None:
    """Return the instant of a Brazilian wall-clock time; None where the clocks skipped it."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZONE)
    there_and_back = wall.astimezone(UTC).astimezone(ZONE)
    return wall if there_and_back.replace(tzinfo=None) == wall.replace(tzinfo=None) else None


def zulu(text: str) -> str:
    moment = instant(text)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z" if moment else text


def with_offset(text: str) -> str:
    moment = instant(text)
    return moment.isoformat(sep=" ") if moment else text


# What is done to the cells of one kind, and the rule under which the repairs are counted (None: not a repair).
SPELLINGS: dict[str, tuple[CellKind, Spell, str | None]] = {
    "integers_with_a_point": (CellKind.INTEGER, lambda text: f"{text}.0", "integral"),
    "money_without_last_zeros": (
        CellKind.MONEY,
        lambda text: text.rstrip("0").rstrip(".") if "." in text else text,
        None,
    ),
    "zips_without_leading_zero": (CellKind.ZIP, lambda text: text.removeprefix("0"), "leading_zero"),
    "upper_case_ids": (CellKind.ID, str.upper, "lower"),
    "lower_case_states": (CellKind.STATE, str.lower, "upper"),
    "moments_with_t": (CellKind.MOMENT, lambda text: text.replace(" ", "T"), None),
    "moments_with_z": (CellKind.MOMENT, zulu, "local_time"),
    "moments_with_offset": (CellKind.MOMENT, with_offset, "local_time"),
}
STYLES: dict[str, dict[str, Any]] = {
    "columns_in_another_order": {"reverse": True},
    "all_fields_quoted": {"quoting": csv.QUOTE_ALL},
    "no_field_quoted_without_need": {"quoting": csv.QUOTE_MINIMAL},
    "crlf": {"lineterminator": "\r\n"},
    "bom_in_every_file": {"bom": True},
}


@pytest.fixture
def original(committed: None, small: Path) -> dict[str, Fingerprint]:
    """What the tables hold after a load of the files as they are."""
    if not FORMS:
        FORMS.update(after_loading(small))
    return FORMS


def after_loading(folder: Path) -> dict[str, Fingerprint]:
    load_json(folder)
    found = fingerprints()
    empty_tables()
    return found


@pytest.mark.parametrize("style", STYLES)
def test_files_in_another_style_give_the_same_tables(
    style: str, small: Path, tmp_path: Path, original: dict[str, Fingerprint]
) -> None:
    folder = map_cells(small, tmp_path / "wild", lambda table, column, text: text, **STYLES[style])
    report = load_json(folder).report
    assert fingerprints() == original
    assert all(not counts["rejected"] for counts in report["tables"].values())


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_values_in_another_spelling_give_the_same_tables_and_are_counted(
    spelling: str, small: Path, tmp_path: Path, original: dict[str, Fingerprint]
) -> None:
    kind, spell, rule = SPELLINGS[spelling]
    changed: Counter[str] = Counter()

    def change(table: FileLayout, column: str, text: str) -> str:
        if table.column(column).kind is not kind or not text:
            return text
        changed[table.name] += spell(text) != text
        return spell(text)

    options = ("--times", "instant") if spell is zulu else ()
    report = load_json(map_cells(small, tmp_path / "wild", change), *options).report
    assert fingerprints() == original
    assert changed.total() > 100
    for name, counts in report["tables"].items():
        assert counts["repaired"].get(rule or "", 0) == (changed[name] if rule else 0)
        assert set(counts["repaired"]) <= {rule, "trim", "missing_parent"}, name


@pytest.mark.slow
def test_all_of_it_at_once_gives_the_same_tables(small: Path, tmp_path: Path) -> None:
    # The published sample, or where it is missing one of our own.
    source = SHARED if (SHARED / "olist_orders_dataset.csv").exists() else small
    original = after_loading(source)
    spells = {kind: spell for kind, spell, _ in SPELLINGS.values()}

    def change(table: FileLayout, column: str, text: str) -> str:
        kind = table.column(column).kind
        text = spells[kind](text) if text and kind in spells else text
        return text if kind in {CellKind.PROSE, CellKind.ZIP} or not text.strip() else f" {text}\u00a0"

    style = {"reverse": True, "quoting": csv.QUOTE_ALL, "lineterminator": "\r\n", "bom": True}
    load_json(map_cells(source, tmp_path / "wild", change, **style))
    assert fingerprints() == original
