"""Charts as shapes that a template draws in SVG: no script, the page's own colours, each part a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10

WIDTH, HEIGHT = 560, 190  # of columns, in SVG units
LEFT, BOTTOM, TOP = 58, 24, 10
COLUMN_SHARE = 0.66  # of its place that a column fills
LEAST_HEIGHT = 2.0  # so that a few records beside a million can be seen


@dataclass(frozen=True)
class Box:
    """One rectangle, of the kind that gives its colour."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Stack:
    """One column: its boxes, its label below, where it leads, and what it says."""

    label: str
    x: float
    boxes: tuple[Box, ...]
    link: str
    title: str


@dataclass(frozen=True)
class Columns:
    """Stacked columns with lines at round numbers."""

    stacks: tuple[Stack, ...]
    lines: tuple[tuple[float, str], ...]
    kinds: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True)
class Place:
    """The values of one column by kind, and its label, link and words."""

    label: str
    values: Mapping[str, int]
    link: str
    title: str


@dataclass(frozen=True)
class Bar:
    """One horizontal bar: its share in percent of the longest."""

    label: str
    value: str
    share: float
    link: str


def columns(places: Sequence[Place], kinds: Sequence[str]) -> Columns:
    """Lay out stacked columns; ``kinds`` in order from below."""
    top = _round_up(max((sum(place.values.values()) for place in places), default=0))
    room = HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT) / max(len(places), 1)
    stacks = []
    for number, place in enumerate(places):
        x, y, boxes = LEFT + step * (number + (1 - COLUMN_SHARE) / 2), float(HEIGHT - BOTTOM), []
        for kind in kinds:
            if place.values.get(kind):
                height = max(room * place.values[kind] / top, LEAST_HEIGHT)
                y -= height
                boxes.append(Box(kind, round(x, 1), round(y, 1), round(step * COLUMN_SHARE, 1), round(height, 1)))
        stacks.append(Stack(place.label, round(LEFT + step * (number + 0.5), 1), tuple(boxes), place.link, place.title))
    lines = [(round(HEIGHT - BOTTOM - room * part / 2, 1), short(top * part // 2)) for part in (0, 1, 2)]
    return Columns(tuple(stacks), tuple(lines), tuple(kinds))


def bars(rows: Sequence[tuple[str, int, str, str]]) -> list[Bar]:
    """Lay out bars of (label, number, words, link)."""
    longest = max((number for _, number, _, _ in rows), default=0) or 1
    return [Bar(label, words, round(100 * number / longest, 1), link) for label, number, words, link in rows]


def short(number: int) -> str:
    """Write a number for an axis: 1,300 as 1.3k."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return str(number)


def _round_up(number: int) -> int:
    """Return the next even round number."""
    if number <= 2:
        return 2
    unit = 10 ** int(log10(number))
    steps = (number / unit, (1, 2, 4, 6, 8, 10))
    return int(unit * next(step for step in steps[1] if step >= ceil(steps[0] * 10) / 10))
