"""Contenders must leave the same behind: a fast one that does nothing, or half of it, fails the benchmark."""

from collections.abc import Callable, Mapping


def agreeing(look: Callable[[], Mapping[str, int]], *, what: str) -> Callable[[], None]:
    """Return a check for several contenders: ``look`` must find after each what it found after the first.

    The check raises RuntimeError where it does not, or where something is not there at all.
    """
    seen: list[Mapping[str, int]] = []

    def check() -> None:
        counts = look()
        if not all(counts.values()) or (seen and counts != seen[0]):
            raise RuntimeError(f"{what}: {counts!r}, where those before left {seen!r}")
        seen[:] = [counts]

    return check
