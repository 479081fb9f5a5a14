"""The ratios as a picture: one line a row, on a logarithmic scale, with its spread and its bar. Plain SVG."""

import math
from collections.abc import Sequence
from html import escape

from benchmarks.frame import Results, Row, Spread

WIDTH, LABELS, LINE, HEAD = 1210, 690, 22, 46
AXIS = WIDTH - LABELS - 90  # what is left for the ratios; behind them stands the number
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0 }
.one { stroke: #59636e } .good { fill: #1a7f37; stroke: #1a7f37 } .bad { fill: #cf222e; stroke: #cf222e }
.free { fill: #0969da; stroke: #0969da } .bar { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
.one { stroke: #9198a1 } .good { fill: #3fb950; stroke: #3fb950 } .bad { fill: #f85149; stroke: #f85149 }
.free { fill: #4493f8; stroke: #4493f8 } .bar { stroke: #f0f6fc } }
"""
TITLE = "Time of ours over time of the other: left of 1 is faster"
LEGEND = "dot: median; line: least to greatest; upright: the bar; green: met, red: MISSED, blue: no bar"


def draw(results: Sequence[Results]) -> str:
    """Write ``benchmarks/RESULTS.svg``, readable on light and on dark pages; empty where there is no ratio."""
    rows = [(row, result.ratios(row)) for result in results for row in result.contest.rows]
    if not rows:
        return ""
    scale = _Scale([figure for row, ratio in rows for figure in (ratio.low, ratio.high, row.bar or 1.0, 1.0)])
    height = HEAD + LINE * (len(rows) + 1) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{TITLE}</title><style>{STYLE}</style>",
        f'<text x="8" y="16">{TITLE}</text><text class="soft" x="8" y="34">{LEGEND}</text>',
        *(_tick(scale, value, height) for value in scale.ticks),
        *(_line(scale, place, row, ratio) for place, (row, ratio) in enumerate(rows)),
    ]
    return "\n".join(parts) + "\n</svg>\n"


class _Scale:
    def __init__(self, figures: Sequence[float]) -> None:
        self.low, self.high = math.log10(min(figures)) - 0.05, math.log10(max(figures)) + 0.05

    def __call__(self, ratio: float) -> float:
        return round(LABELS + AXIS * (math.log10(ratio) - self.low) / (self.high - self.low), 1)

    @property
    def ticks(self) -> list[float]:
        powers = range(math.floor(self.low), math.ceil(self.high))
        values = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [value for value in values if self.low <= math.log10(value) <= self.high]


def _tick(scale: _Scale, value: float, height: int) -> str:
    x, kind = scale(value), "one" if value == 1 else "grid"
    return (
        f'<line class="{kind}" x1="{x}" y1="{HEAD}" x2="{x}" y2="{height - LINE}"/>'
        f'<text class="soft" x="{x}" y="{height - 8}" text-anchor="middle">{value:g}</text>'
    )


def _line(scale: _Scale, place: int, row: Row, ratio: Spread) -> str:
    y = HEAD + LINE * place + LINE // 2
    kind = "free" if row.bar is None else "good" if ratio.median <= row.bar else "bad"
    name = escape(f"{row.work} / {row.against}")
    bar = "" if row.bar is None else _upright(scale(row.bar), y)
    return (
        f'<text x="8" y="{y + 4}">{name}</text>'
        f'<line class="{kind}" x1="{scale(ratio.low)}" y1="{y}" x2="{scale(ratio.high)}" y2="{y}"/>{bar}'
        f'<circle class="{kind}" cx="{scale(ratio.median)}" cy="{y}" r="4.5"/>'
        f'<text x="{WIDTH - 8}" y="{y + 4}" text-anchor="end">{ratio.median:.2f}</text>'
    )


def _upright(x: float, y: int) -> str:
    return f'<line class="bar" x1="{x}" y1="{y - 7}" x2="{x}" y2="{y + 7}"/>'
