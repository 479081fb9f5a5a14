"""``make bench [QUICK=1] [LARGE=1]``: measure, print, at full size write ``RESULTS.md`` and its picture."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import backups, endpoint, load_peers, loads, pages
from benchmarks.chart import draw
from benchmarks.files import sample
from benchmarks.frame import Contest, Run, hold
from benchmarks.machine import code_digest, facts
from benchmarks.report import render
from benchmarks.scratch import scratch_database

RESULTS = Path(__file__).parent / "RESULTS.md"
PICTURE = RESULTS.with_suffix(".svg")
ROUNDS, QUICK_ROUNDS = 5, 1
SCALE, QUICK_SCALE = 1.0, 0.1
ROWS, QUICK_ROWS = 1_000_000, 100_000
LARGER = 10
DIRTY = 0.05


def main() -> None:
    """Parse, hold every contest, report."""
    asked = _arguments()
    code = code_digest()
    with scratch_database():
        about = facts()
        contests = [
            contest for contest in _contests(quick=asked.quick, large=asked.large) if asked.only in contest.name
        ]
        if asked.quick:
            contests = [replace(contest, warm_up=False) for contest in contests]
        rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
        results = [hold(contest, rounds=rounds, on_run=_say) for contest in contests]
    text = render(results, about)
    sys.stdout.write(f"\n{text}")
    if code_digest() != code:
        sys.exit("The code was changed while it was measured: these figures mix two versions, and are not kept.")
    if not (asked.quick or asked.only):
        RESULTS.write_text(text, encoding="utf-8")
        PICTURE.write_text(draw(results), encoding="utf-8")


def _contests(*, quick: bool, large: bool) -> list[Contest]:
    """List what is measured; an issue adds its own contest here."""
    scale = QUICK_SCALE if quick else SCALE
    clean = sample(scale=scale)
    contests = [loads.contest(clean, sample(scale=scale, dirty=DIRTY))]
    contests.append(load_peers.contest(clean))
    contests.append(backups.contest(clean, rows=QUICK_ROWS if quick else ROWS))
    contests.append(pages.contest(rows=QUICK_ROWS if quick else ROWS))
    if large:
        contests.append(loads.large_contest(clean, sample(scale=scale * LARGER)))
    return [*contests, *endpoint.contests(quick=quick)]


def _say(name: str, run: Run) -> None:
    sys.stderr.write(f"{name:<56}{run.seconds:10.4f} s\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", default=bool(os.environ.get("QUICK")))
    parser.add_argument("--large", action="store_true", default=bool(os.environ.get("LARGE")))
    parser.add_argument("--rounds", type=int, default=0, help="how many runs of each contender count")
    parser.add_argument("--only", default="", metavar="TEXT", help="only contests whose name has TEXT; not kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
