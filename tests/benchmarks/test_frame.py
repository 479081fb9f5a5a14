"""The frame of the benchmark: turns, ratios and what is reported of them. No database, no time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from benchmarks.agreeing import agreeing
from benchmarks.chart import draw
from benchmarks.frame import Contender, Contest, Gap, Peak, Row, Run, Spread, hold
from benchmarks.report import render

MIB = 1 << 20


def contender(name: str, log: list[str], seconds: list[float], *, peak_bytes: int = 0) -> Contender:
    """Make a contender whose runs are said to take ``seconds``, one after another."""
    left: Iterator[float] = iter(seconds)

    def run() -> Run:
        log.append(f"run {name}")
        return Run(seconds=next(left), peak_bytes=peak_bytes)

    return Contender(name=name, prepare=lambda: log.append(f"prepare {name}"), run=run)


def contest(*contenders: Contender, bar: float | None = None, warm_up: bool = False) -> Contest:
    row = Row(work="work", ours="ours", against="peer", bar=bar)
    return Contest(name="contest", contenders=contenders, rows=(row,), warm_up=warm_up)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_contenders_take_turns_and_each_is_prepared_before_its_run() -> None:
    log: list[str] = []
    hold(contest(contender("ours", log, [1, 1]), contender("peer", log, [1, 1])), rounds=2)
    assert log == ["prepare ours", "run ours", "prepare peer", "run peer"] * 2


def test_a_warm_up_is_run_and_not_counted() -> None:
    heard: list[str] = []
    both = contender("ours", [], [90, 1]), contender("peer", [], [90, 2])
    results = hold(contest(*both, warm_up=True), rounds=1, on_run=lambda name, _: heard.append(name))
    assert heard == ["ours (warm-up)", "peer (warm-up)", "ours", "peer"]
    assert results.seconds("ours") == Spread(1, 1, 1)


def test_ratios_are_taken_within_each_round() -> None:
    # Round by round 0.5, 0.25 and 0.5; the ratio of the medians would be 2 / 8 = 0.25.
    held = contest(contender("ours", [], [1, 2, 50]), contender("peer", [], [2, 8, 100]))
    results = hold(held, rounds=3)
    assert results.ratios(held.rows[0]) == Spread(median=0.5, low=0.25, high=0.5)


def test_a_contender_that_did_not_do_its_work_fails_the_benchmark() -> None:
    rows = iter([{"orders": 10}, {"orders": 0}])
    same = agreeing(lambda: next(rows), what="rows")
    both = [replace(contender(name, [], [1]), check=same) for name in ("ours", "peer")]
    with pytest.raises(RuntimeError, match="rows"):
        hold(contest(*both), rounds=1)


def test_the_picture_tells_a_bar_that_is_met_from_one_that_is_missed() -> None:
    both = contender("ours", [], [1]), contender("peer", [], [2])
    met = draw([hold(contest(*both, bar=0.6), rounds=1)])
    both = contender("ours", [], [1]), contender("peer", [], [2])
    missed = draw([hold(contest(*both, bar=0.4), rounds=1)])
    assert '<circle class="good"' in met
    assert '<circle class="bad"' in missed
    assert ElementTree.fromstring(met).tag.endswith("svg")


def test_a_contest_may_fix_its_number_of_rounds() -> None:
    held = Contest(name="once", contenders=(contender("ours", [], [1]),), rows=(), rounds=1, warm_up=False)
    assert len(hold(held, rounds=5).runs["ours"]) == 1


def test_the_report_says_which_bars_are_met_and_which_are_missed() -> None:
    def line(bar: float | None) -> str:
        held = contest(contender("ours", [], [1]), contender("peer", [], [2]), bar=bar)
        return next(line for line in render([hold(held, rounds=1)], {}).splitlines() if "(0.50 to 0.50)" in line)

    assert cells(line(0.6)) == ["work", "peer", "0.50 (0.50 to 0.50)", "at most 0.60", "met"]
    assert cells(line(0.4)) == ["work", "peer", "0.50 (0.50 to 0.50)", "at most 0.40", "MISSED"]
    assert cells(line(None)) == ["work", "peer", "0.50 (0.50 to 0.50)", "", ""]


def test_the_highest_peak_of_any_run_counts() -> None:
    peaks = iter([300 * MIB, 1200 * MIB])
    ours = Contender(name="ours", run=lambda: Run(seconds=1, peak_bytes=next(peaks)))
    held = Contest(
        name="memory",
        contenders=(ours,),
        rows=(),
        peaks=(Peak(work="load", ours="ours", bar_bytes=1024 * MIB),),
        warm_up=False,
    )
    (line,) = [line for line in render([hold(held, rounds=2)], {}).splitlines() if "1,200" in line]
    assert cells(line) == ["load", "1,200", "at most 1,024", "MISSED"]


def test_a_gap_is_a_difference_within_each_round_and_told_in_milliseconds() -> None:
    # Round by round 10, 5 and 20 ms; the difference of the medians would be 12 - 7 = 5.
    gap = Gap(work="one record", ours="ours", against="peer", bar_seconds=0.010)
    held = Contest(
        name="gap",
        contenders=(contender("ours", [], [0.011, 0.012, 0.030]), contender("peer", [], [0.001, 0.007, 0.010])),
        rows=(),
        gaps=(gap,),
        warm_up=False,
    )
    results = hold(held, rounds=3)
    assert results.differences(gap).median == pytest.approx(0.010)
    (line,) = [line for line in render([results], {}).splitlines() if line.startswith("| one record")]
    assert cells(line)[:4] == ["one record", "peer", "10.00 (5.00 to 20.00)", "at most 10.00"]


def test_what_a_contest_needs_around_it_is_left_also_on_an_error() -> None:
    log: list[str] = []

    @contextmanager
    def servers() -> Iterator[None]:
        log.append("up")
        try:
            yield
        finally:
            log.append("down")

    held = Contest(name="broken", contenders=(contender("ours", log, []),), rows=(), warm_up=False, around=servers)
    with pytest.raises(RuntimeError):  # a generator's StopIteration: the contender has no time to tell
        hold(held, rounds=1)
    assert log == ["up", "prepare ours", "run ours", "down"]


def test_the_report_tells_notes_machine_and_moment() -> None:
    text = render([hold(contest(contender("ours", [], [1]), contender("peer", [], [1])), rounds=1)], {"Date": "today"})
    assert "- Date: today" in text
