"""What a benchmark is made of: contenders that are run in turns, and rows that compare two of them pair by pair."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a contender; ``peak_bytes`` is the peak memory of a process that did nothing else, 0 if unknown."""

    seconds: float
    peak_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A way to do some work. ``prepare`` brings about the state that it starts from; only ``run`` is measured.

    ``check`` raises where the work was not done: the time of a run that did nothing means nothing.
    """

    name: str
    run: Callable[[], Run]
    prepare: Callable[[], None] = lambda: None
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Row:
    """Time of ``ours`` over time of ``against`` (names of contenders); ``bar``: the most it may be."""

    work: str
    ours: str
    against: str
    bar: float | None = None


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Time of ``ours`` minus time of ``against``, and the most that it may be."""

    work: str
    ours: str
    against: str
    bar_seconds: float


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Time of ``ours``, and the most that it may be."""

    work: str
    ours: str
    bar_seconds: float


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Peak memory of the process of contender ``ours``, and the most that it may be."""

    work: str
    ours: str
    bar_bytes: int


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Contenders that take turns A B C A B C ..., so that a slow minute of the machine hits all of them.

    ``rounds`` None: as many as asked for; ``warm_up``: one round more, before the others, that does not count.
    ``around`` is entered before the first run and left after the last, also on an error: for servers.
    """

    name: str
    contenders: tuple[Contender, ...]
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...] = ()
    limits: tuple[Limit, ...] = ()
    peaks: tuple[Peak, ...] = ()
    notes: tuple[str, ...] = ()
    rounds: int | None = None
    warm_up: bool = True
    around: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some figures."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Results:
    """The n runs of each contender, by name: the i-th of all of them belong to the same round."""

    contest: Contest
    runs: dict[str, tuple[Run, ...]]

    def seconds(self, name: str) -> Spread:
        """Summarise a contender's times."""
        return spread([run.seconds for run in self.runs[name]])

    def ratios(self, row: Row) -> Spread:
        """Summarise ``row``'s ratios, one for each round."""
        pairs = zip(self.runs[row.ours], self.runs[row.against], strict=True)
        return spread([ours.seconds / against.seconds for ours, against in pairs])

    def differences(self, gap: Gap) -> Spread:
        """Summarise ``gap``'s seconds, one figure for each round."""
        pairs = zip(self.runs[gap.ours], self.runs[gap.against], strict=True)
        return spread([ours.seconds - against.seconds for ours, against in pairs])

    def peak_bytes(self, name: str) -> int:
        """Return the highest peak of a contender's processes."""
        return max(run.peak_bytes for run in self.runs[name])


def spread(figures: Sequence[float]) -> Spread:
    """Summarise at least one figure."""
    return Spread(statistics.median(figures), min(figures), max(figures))


def hold(contest: Contest, *, rounds: int, on_run: Callable[[str, Run], None] = lambda name, run: None) -> Results:
    """Run ``contest``; ``on_run`` hears of every run, also of those that do not count."""
    counted = contest.rounds or rounds
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contest.contenders}
    with contest.around():
        for number in range(-1 if contest.warm_up else 0, counted):
            for name, run in _round(contest):
                on_run(name if number >= 0 else f"{name} (warm-up)", run)
                if number >= 0:
                    runs[name].append(run)
    return Results(contest, {name: tuple(done) for name, done in runs.items()})


def _round(contest: Contest) -> Iterator[tuple[str, Run]]:
    for contender in contest.contenders:
        contender.prepare()
        run = contender.run()
        contender.check()
        yield contender.name, run
