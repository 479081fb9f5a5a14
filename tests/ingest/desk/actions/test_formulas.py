"""Cells of an export in which a spreadsheet finds nothing to run."""

import re
import sys
import unicodedata
from time import perf_counter

import pytest
from hypothesis import example, given

from ingest.desk.actions import formulas
from ingest.desk.actions.formulas import harmless
from tests.support.desk.cells import CELLS, NUMBER, STARTERS, UNSEEN, first_seen


@given(CELLS)
@example("\ufeff\u200b\x00 =1+1")
def test_no_cell_begins_with_a_formula_whatever_stands_before_it(cell: str) -> None:
    written = harmless(cell)
    assert NUMBER.fullmatch(written) or first_seen(written) not in set(STARTERS)


@given(CELLS)
@example("a;=1+1;")
@example('a\n"=1+1')
def test_nor_does_any_part_of_it_that_a_spreadsheet_cutting_at_semicolons_takes_for_a_cell(cell: str) -> None:
    written = harmless(cell)
    if not NUMBER.fullmatch(written):
        assert {first_seen(part.replace('"', "")) for part in re.split("[;\t\r\n]", written)}.isdisjoint(STARTERS)


@given(CELLS, CELLS)
def test_no_two_cells_become_alike(one: str, other: str) -> None:
    assert (harmless(one) == harmless(other)) == (one == other)


@given(CELLS)
def test_nothing_but_apostrophes_is_added(cell: str) -> None:
    assert harmless(cell).replace("'", "") == cell.replace("'", "")


@pytest.mark.parametrize("start", [*STARTERS, *(f"{mark}=" for mark in UNSEEN), '"=', "'=", "\ufeff \x1f＝", "-1+"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert harmless(f"{start}a").startswith("'")


@pytest.mark.parametrize(
    "cell", ["-23.5", "-1", "", "rio = sp", "2018-01-01", "01037", "'1", " bom\n ", "a; b", "são paulo - sp", "\t"]
)
def test_other_cells_stay(cell: str) -> None:
    assert harmless(cell) == cell


def test_whatever_is_the_beginning_of_a_formula_in_plain_form_is_known() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    plain = {mark for mark in every if unicodedata.normalize("NFKC", mark)[:1] in set("=+-@\N{MINUS SIGN}")}
    assert plain == formulas.STARTERS


def test_a_cell_of_blank_lines_alone_takes_no_longer_than_any_of_its_length() -> None:
    cell = "\n" * 500_000 + "="
    began = perf_counter()
    assert len(harmless(cell)) == 2 * len(cell)
    assert perf_counter() - began < 5
