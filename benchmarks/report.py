"""Results as tables: the ratios first, since they carry over to another machine, and absolute times as context."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.frame import Results, Row, Spread

MIB = 1 << 20
HEAD = """# Benchmark

Made by `make bench` (the case at ten times the size by `make bench LARGE=1`). A ratio is taken within each round, in
which all contenders take turns; shown are the median and, in brackets, the least and the greatest.

![The ratios](RESULTS.svg)"""


def render(results: Sequence[Results], facts: Mapping[str, str]) -> str:
    """Write ``benchmarks/RESULTS.md``."""
    parts = [
        HEAD,
        _table(("work", "against", "ratio", "bar", ""), _ratio_lines(results)),
        _table(("work", "minus", "milliseconds", "bar", ""), _gap_lines(results)),
        _table(("time on the server", "milliseconds", "bar", ""), _limit_lines(results)),
        _table(("peak memory of the process", "MiB", "bar", ""), _peak_lines(results)),
        "## Context\n\nSeconds on this machine; they say little about another one.",
        _table(("contender", "runs", "seconds"), _second_lines(results)),
        "\n".join(f"- {' '.join(note.split())}" for result in results for note in result.contest.notes),
        "\n".join(f"- {name}: {text}" for name, text in facts.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _ratio_lines(results: Sequence[Results]) -> Iterator[Sequence[str]]:
    for result in results:
        for row in result.contest.rows:
            ratio = result.ratios(row)
            yield row.work, row.against, _shown(ratio), _bar(row), _verdict(ratio.median, row.bar)


def _gap_lines(results: Sequence[Results]) -> Iterator[Sequence[str]]:
    for result in results:
        for gap in result.contest.gaps:
            seconds = result.differences(gap)
            shown = _milliseconds(seconds)
            bar = f"at most {1000 * gap.bar_seconds:.2f}"
            yield gap.work, gap.against, shown, bar, _verdict(seconds.median, gap.bar_seconds)


def _limit_lines(results: Sequence[Results]) -> Iterator[Sequence[str]]:
    for result in results:
        for limit in result.contest.limits:
            seconds = result.seconds(limit.ours)
            bar = f"at most {1000 * limit.bar_seconds:.0f}"
            yield limit.work, _milliseconds(seconds), bar, _verdict(seconds.median, limit.bar_seconds)


def _peak_lines(results: Sequence[Results]) -> Iterator[Sequence[str]]:
    for result in results:
        for peak in result.contest.peaks:
            reached = result.peak_bytes(peak.ours)
            bar = f"at most {peak.bar_bytes // MIB:,}"
            yield peak.work, f"{reached / MIB:,.0f}", bar, _verdict(reached, peak.bar_bytes)


def _second_lines(results: Sequence[Results]) -> Iterator[Sequence[str]]:
    for result in results:
        for contender in result.contest.contenders:
            runs = len(result.runs[contender.name])
            seconds = result.seconds(contender.name)
            yield contender.name, str(runs), _shown(seconds, places=2 if seconds.median >= 1 else 4)


def _bar(row: Row) -> str:
    return "" if row.bar is None else f"at most {row.bar:.2f}"


def _verdict(reached: float, bar: float | None) -> str:
    if bar is None:
        return ""
    return "met" if reached <= bar else "MISSED"


def _shown(figures: Spread, *, places: int = 2) -> str:
    return f"{figures.median:.{places}f} ({figures.low:.{places}f} to {figures.high:.{places}f})"


def _milliseconds(seconds: Spread) -> str:
    return _shown(Spread(*(1000 * figure for figure in (seconds.median, seconds.low, seconds.high))))


def _table(head: Sequence[str], lines: Iterator[Sequence[str]]) -> str:
    rows = [head, *lines]
    if len(rows) == 1:
        return ""
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])
