"""Write a sample: the nine files and ``truth.json``."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import SourceUnreadable
from olist.sample import render, text
from olist.sample.clean.generate import TableFrames, generate
from olist.sample.dirty.dirt import DirtyFrame, Hits, spoil
from olist.sample.dirty.truth import TruthFile, entries_of
from olist.sample.layout import TABLES, FileLayout
from olist.sample.sizes import Sizes, sizes_at
from olist.sample.text import Ints, Lines

DEFAULT_SCALE: Final = 0.05
MAX_DIRTY: Final = 0.5
TRUTH_NAME: Final = "truth.json"
_DIRT_STREAM: Final = 100
_RENDERED_ROWS: Final = 200_000  # keeps memory bounded at any scale


@dataclass(frozen=True, kw_only=True)
class SampleReport:
    """What was written: records of each file by table name, seconds, and where the truth about them is."""

    rows: dict[str, int]
    seconds: float
    truth: Path


def write_sample(folder: Path, *, scale: float = DEFAULT_SCALE, seed: int = 1, dirty: float = 0.0) -> SampleReport:
    """Write the nine files and ``truth.json`` into ``folder``, all or none, and the same bytes for the same arguments.

    ``scale`` 1.0 is the published size, 1.55 million records; ``dirty`` (0 to 0.5) is the share of the records of each
    file to damage. Files of an earlier sample are replaced. Raises SourceUnreadable where the folder cannot be written
    or holds such files that no sample wrote, ValueError for arguments out of range.
    """
    if not (0 < scale < float("inf") and seed >= 0 and 0 <= dirty <= MAX_DIRTY):
        raise ValueError(f"scale {scale} must be above 0, seed {seed} at least 0, dirty {dirty} from 0 to {MAX_DIRTY}")
    start = time.perf_counter()
    try:
        _refuse_foreign_files(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder) as unfinished:
            rows = _write(Path(unfinished), sizes_at(scale), scale=float(scale), seed=seed, dirty=float(dirty))
            # The truth first: it marks the folder as a sample's, should the others not follow.
            for name in (TRUTH_NAME, *(table.file_name for table in TABLES)):
                (Path(unfinished) / name).replace(folder / name)
    except OSError as error:
        raise SourceUnreadable(
            path=folder,
            problem=f"the sample cannot be written: {error.strerror or error}",
            remedy="Name a folder that you may write to, on a disk with room (about 130 MB at scale 1).",
        ) from error
    return SampleReport(rows=rows, seconds=time.perf_counter() - start, truth=folder / TRUTH_NAME)


def _refuse_foreign_files(folder: Path) -> None:
    if (folder / TRUTH_NAME).exists():
        return
    for table in TABLES:
        if (folder / table.file_name).exists():
            raise SourceUnreadable(
                path=folder / table.file_name,
                problem="is there already, and no sample wrote it",
                remedy="Name another folder, so that nothing of yours is overwritten.",
            )


def _write(folder: Path, sizes: Sizes, *, scale: float, seed: int, dirty: float) -> dict[str, int]:
    rows: dict[str, int] = {}
    lost: dict[str, frozenset[str]] = {}
    orphans: dict[str, int] = {}
    with TruthFile(folder / TRUTH_NAME) as truth:
        for place, generated in enumerate(generate(seed, sizes)):
            name = generated.table.name
            rng = text.generator(seed, _DIRT_STREAM + place)
            rows[name], lost[name], orphans[name] = _write_table(folder, generated, truth, rng, dirty=dirty, lost=lost)
        habits = {"geolocation": {"duplicates": sizes.repeated_points, "repaired": {"trim": 1}}}
        meta = {
            "seed": seed,
            "scale": scale,
            "dirty": dirty,
            "rows": rows,
            "parent_rejected": orphans,
            "habits": habits,
        }
        truth.finish(meta)
    return rows


def _write_table(
    folder: Path,
    generated: TableFrames,
    truth: TruthFile,
    rng: np.random.Generator,
    *,
    dirty: float,
    lost: dict[str, frozenset[str]],
) -> tuple[int, frozenset[str], int]:
    """Write one file; return its records, the keys it lost as a parent, and the records orphaned in it."""
    table = generated.table
    records, orphans = 0, 0
    gone: frozenset[str] = frozenset()
    with (folder / table.file_name).open("wb") as file:
        writer = _Lines(file, table)
        for frame in generated.frames:
            spoiled = DirtyFrame(frame=frame)
            if dirty:
                spoiled = spoil(rng, table, frame, fraction=dirty, lost=lost, children=generated.children)
            lines = writer.write(spoiled)
            if spoiled.hits:
                truth.add(entries_of(table, spoiled, first_record=records + 1, lines=lines))
            records += len(spoiled.frame)
            orphans += spoiled.orphans
            gone |= spoiled.lost
        writer.close()
    return records, gone, orphans


class _Lines:
    """A file's records, written in pieces; it holds the last one back, which may end without a line end."""

    def __init__(self, file: Any, table: FileLayout) -> None:
        self._file, self._table = file, table
        self._next_line = 2
        self._held: bytes | memoryview = render.header(table)

    def write(self, spoiled: DirtyFrame) -> Ints:
        """Append n rows; return the physical line on which each begins."""
        begins = []
        damaged = [hits for hits in spoiled.hits if hits.line_damage]
        for start in range(0, len(spoiled.frame), _RENDERED_ROWS):
            frame: pd.DataFrame = spoiled.frame.iloc[start : start + _RENDERED_ROWS]
            lines = _with_line_damage(render.render(self._table, frame), damaged, start)
            feeds = pc.call_function("count_substring", [lines], pc.MatchSubstringOptions("\n")).to_numpy()
            heights = feeds.astype(np.int64) + 1
            begins.append(self._next_line + np.cumsum(heights) - heights)
            self._next_line += int(heights.sum())
            self._file.write(self._held)
            self._held = render.joined(self._table, lines)
        return np.concatenate(begins)

    def close(self) -> None:
        """Write what was held back."""
        end = self._table.line_end
        held = bytes(self._held)
        self._file.write(held if self._table.ends_with_line_end else held.removesuffix(end))


def _with_line_damage(lines: Lines, damaged: list[Hits], start: int) -> Lines:
    """Apply the damages of whole lines that fall among ``lines``, the first of which is row ``start``."""
    edited: dict[int, bytes] = {}
    for hits in damaged:
        if hits.line_damage:
            rows = hits.rows[(hits.rows >= start) & (hits.rows < start + len(lines))] - start
            edited.update((row, hits.line_damage.edit(lines[row].as_py())) for row in rows.tolist())
    if not edited:
        return lines
    numbers = sorted(edited)
    mask = np.zeros(len(lines), bool)
    mask[numbers] = True
    values = pa.array([edited[number] for number in numbers], pa.binary())
    replaced: Lines = pc.replace_with_mask(lines, pa.array(mask), values)
    return replaced
