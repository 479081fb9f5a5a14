"""Damage records of a table at random, each in exactly one way, and tell which."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from olist.sample import text
from olist.sample.dirty.damages import ALTERED, LINE_DAMAGES, Damage, LineDamage, Outcome, damages_of
from olist.sample.layout import GEOLOCATION, PARENTS, TRANSLATION, CellKind, FileLayout
from olist.sample.text import Ints, Mask, Text

_LEAST_IN_PLACE = 3
_IN_PLACE_SHARE = 0.02  # of the parents that records refer to: each one damaged takes its children along
_LEAST_UNTOUCHED = 4  # records for each kind of damage, below which a small file does not get every kind


@dataclass(frozen=True, kw_only=True)
class Hits:
    """One kind of damage and the rows (indices into the frame) that have it; ``of`` are the rows they repeat."""

    name: str
    outcome: Outcome
    rows: Ints
    code: str | None = None
    rule: str | None = None
    field: str | None = None
    of: Ints | None = None
    line_damage: LineDamage | None = None


@dataclass(frozen=True, kw_only=True)
class DirtyFrame:
    """A frame with its damaged cells; ``lost``: keys of records that are no parents any more.

    ``orphans``: how many records are good but belong to one of ``lost`` of another table.
    """

    frame: pd.DataFrame
    hits: list[Hits] = field(default_factory=list)
    lost: frozenset[str] = frozenset()
    orphans: int = 0


def spoil(
    rng: np.random.Generator,
    table: FileLayout,
    frame: pd.DataFrame,
    *,
    fraction: float,
    lost: Mapping[str, Collection[str]],
    children: Ints | None = None,
) -> DirtyFrame:
    """Damage about ``fraction`` of the rows, and at least one in every way where there are rows enough.

    ``lost``: keys of refused parents by table; ``children``: how many records refer to each row.
    """
    orphan = _orphans(table, frame, lost)
    kinds = _kinds(table)
    repeats = 1 if table is GEOLOCATION else 2
    ways = len({damage.name for damage, _ in kinds}) + repeats
    total = max(round(fraction * len(frame)), min(ways, len(frame) // _LEAST_UNTOUCHED))
    share, rest = divmod(total, len(kinds) + repeats)
    wanted = [share + (place < rest - repeats) for place in range(len(kinds))]
    copies = max(1, share + (rest > 0))
    pool = _Pool(rng, table, frame, orphan, children=children, fresh=sum(wanted))
    hits = [pool.hit(damage, name, count) for (damage, name), count in zip(kinds, wanted, strict=True) if count]
    return pool.result([hit for hit in hits if len(hit.rows)], copies=copies, orphan=orphan)


def _orphans(table: FileLayout, frame: pd.DataFrame, lost: Mapping[str, Collection[str]]) -> Mask:
    orphan = np.zeros(len(frame), bool)
    for name, parent in table.references.items():
        orphan |= frame[name].isin(list(lost.get(parent, ()))).to_numpy(bool)
    return orphan


def _kinds(table: FileLayout) -> list[tuple[Damage | LineDamage, str]]:
    """Return all (damage, column) of a table, every damage once before any comes again in another column."""
    cells = [(damage, column.name) for column in table.columns for damage in damages_of(table, column)]
    known: set[str] = set()
    first: list[tuple[Damage | LineDamage, str]] = [(damage, table.names[-1]) for damage in LINE_DAMAGES]
    again: list[tuple[Damage | LineDamage, str]] = []
    for damage, name in cells:
        (again if damage.name in known else first).append((damage, name))
        known.add(damage.name)
    return first + again


class _Pool:
    """The rows that may be damaged: of a parent table mostly new ones without children, else all but orphans."""

    def __init__(
        self,
        rng: np.random.Generator,
        table: FileLayout,
        frame: pd.DataFrame,
        orphan: Mask,
        *,
        children: Ints | None,
        fresh: int,
    ) -> None:
        self.rng, self.table, self.clean = rng, table, len(frame)
        is_parent = table.name in PARENTS or table is TRANSLATION
        untouched = ~orphan & _is_plain(table, frame)
        if is_parent:
            sources = rng.choice(np.flatnonzero(untouched), fresh)
            frame = pd.concat([frame, self._renamed(frame.take(sources))], ignore_index=True)
            untouched = self._few_children(untouched, children)
        # In one piece, since every kind of damage looks at a whole column.
        self.frame = text.frame({name: text.array(frame[name]) for name in frame.columns})
        self.free = np.concatenate([untouched, np.ones(len(frame) - self.clean, bool)])
        self.may_lose_key = np.full(len(frame), not is_parent)
        self.may_lose_key[self.clean :] = True
        self.one_line = _is_on_one_line(table, frame)

    def _renamed(self, copies: pd.DataFrame) -> pd.DataFrame:
        """Let copies of parents have a key that nothing refers to."""
        key = self.table.key[0]
        if self.table is TRANSLATION:
            names = [f"{name}_{number}" for number, name in enumerate(copies[key], 1_000)]
            return _with_column(copies, key, pa.array(names, pa.string()))
        return _with_column(copies, key, text.hex_ids(self.rng, len(copies)))

    def _few_children(self, untouched: Mask, children: Ints | None) -> Mask:
        chosen = np.zeros(self.clean, bool)
        if children is not None:
            rows = np.flatnonzero(untouched & (children <= np.median(children)))
            count = max(_LEAST_IN_PLACE, round(_IN_PLACE_SHARE * self.clean))
            chosen[self.rng.permutation(rows)[:count]] = True
        return chosen

    def hit(self, damage: Damage | LineDamage, name: str, count: int) -> Hits:
        """Choose up to ``count`` free rows whose cell in column ``name`` can have ``damage``."""
        cells = text.array(self.frame[name])
        fits = self.free & cells.is_valid().to_numpy(zero_copy_only=False)
        if isinstance(damage, LineDamage):
            fits &= self.one_line & self.may_lose_key  # whoever refers to a record without fields finds no parent
        else:
            if damage.needs:
                fits &= pc.match_substring_regex(text.filled(cells), damage.needs).to_numpy(zero_copy_only=False)
            if name in self.table.key:
                fits &= self.may_lose_key
        rows = np.sort(self.rng.permutation(np.flatnonzero(fits))[:count])
        self.free[rows] = False
        if isinstance(damage, LineDamage):
            return Hits(name=damage.name, outcome="rejected", rows=rows, code=damage.code, line_damage=damage)
        edited = [damage.edit(value or "") for value in cells.take(rows).to_pylist()]
        self._put(name, rows, edited)
        about = name if damage.about_field else None
        return Hits(
            name=damage.name, outcome=damage.outcome, rows=rows, code=damage.code, rule=damage.rule, field=about
        )

    def _put(self, name: str, rows: Ints, values: Sequence[str]) -> None:
        mask = np.zeros(len(self.frame), bool)
        mask[rows] = True
        cells = pc.replace_with_mask(text.array(self.frame[name]), pa.array(mask), pa.array(values, pa.string()))
        self.frame = _with_column(self.frame, name, cells)

    def result(self, hits: list[Hits], *, copies: int, orphan: Mask) -> DirtyFrame:
        """Drop new rows that were not damaged, add the repeated ones, and tell which parents are lost."""
        hit = np.zeros(len(self.frame), bool)
        rejected = np.zeros(len(self.frame), bool)
        for one in hits:
            hit[one.rows] = True
            rejected[one.rows] |= one.outcome == "rejected"
        keep = hit.copy()
        keep[: self.clean] = True
        moved = np.cumsum(keep) - 1
        hits = [Hits(**{**vars(one), "rows": moved[one.rows]}) for one in hits]
        lost: frozenset[str] = frozenset()
        if self.table.name in PARENTS:
            gone = rejected[: self.clean] | orphan
            lost = frozenset(self.frame[self.table.key[0]].iloc[: self.clean][gone])
        good = np.flatnonzero(~hit[: self.clean] & ~orphan & _is_plain(self.table, self.frame.iloc[: self.clean]))
        frame, repeated = self._with_repeated(self.frame[keep], good, copies)
        return DirtyFrame(frame=frame, hits=[*hits, *repeated], lost=lost, orphans=int(orphan.sum()))

    def _with_repeated(self, frame: pd.DataFrame, good: Ints, copies: int) -> tuple[pd.DataFrame, list[Hits]]:
        """Append exact duplicates of good rows, and records that have a good row's key but other content."""
        of = self.rng.permutation(good)
        same = of[:copies]
        at = len(frame)
        hits = [Hits(name="repeated", outcome="duplicate", rows=np.arange(at, at + len(same)), of=same)]
        parts = [frame, frame.take(same)]
        if self.table.name in ALTERED:
            name, edit = ALTERED[self.table.name]
            others = of[copies:]
            others = others[frame[name].iloc[others].notna().to_numpy(bool)][:copies]
            changed = frame.take(others)
            edited = pa.array([edit(value) for value in changed[name]], pa.string())
            parts.append(_with_column(changed, name, edited))
            rows = np.arange(at + len(same), at + len(same) + len(others))
            hits.append(Hits(name="same_key", outcome="rejected", rows=rows, code="unique", of=others))
        return pd.concat(parts, ignore_index=True), hits


def _with_column(frame: pd.DataFrame, name: str, values: Text) -> pd.DataFrame:
    return frame.reset_index(drop=True).assign(**{name: text.frame({name: values})[name]})


def _is_plain(table: FileLayout, frame: pd.DataFrame) -> Mask:
    """Leave alone what has a habit already: repeated points, and the city with a trailing space."""
    if table is not GEOLOCATION:
        return np.ones(len(frame), bool)
    city: pd.Series[Any] = frame["geolocation_city"]
    return (~frame.duplicated(keep=False) & (city == city.str.strip())).to_numpy(bool)


def _is_on_one_line(table: FileLayout, frame: pd.DataFrame) -> Mask:
    alone = np.ones(len(frame), bool)
    for column in table.columns:
        if column.kind is CellKind.PROSE:
            alone &= ~frame[column.name].fillna("").str.contains("\n", regex=False).to_numpy(bool)
    return alone
