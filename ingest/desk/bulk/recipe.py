"""Repair recipes: one change of one field, for many records at once, on whole columns."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Text
from core.json_scanner import DoubledMembers
from ingest.readers.json.records import is_storable

type How = Literal["set", "replace", "strip", "map", "remove"]
type Record = dict[str, Any]

HOWS: tuple[How, ...] = ("set", "replace", "strip", "map", "remove")
UNCHANGED = "the recipe changes nothing in them"
UNREADABLE = "they could not be split into fields, so no recipe can change one"
UNKEPT = "another field holds what a correction cannot keep (a NUL, NaN, two values): repair them one by one"
NOTHING = "(empty)"  # how no value is written in a map


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is done to ``field``.

    ``set``: it becomes ``put``; ``replace``: ``find`` (a text, or a regular expression of RE2 if ``pattern``) becomes
    ``put``, wherever it stands; ``strip``: the characters of ``find`` (white space, if empty) go at both ends; ``map``:
    a value (white space at its ends aside) becomes another, by ``pairs`` (an empty text stands for no value);
    ``remove``: it is left out.
    """

    field: str
    how: How
    find: str = ""
    put: str = ""
    pattern: bool = False
    pairs: tuple[tuple[str, str], ...] = ()

    def apply(self, texts: Text) -> Text:
        """Return the new n texts, NULL for no value; pyarrow.ArrowInvalid where the pattern is none."""
        match self.how:
            case "set":
                return pa.array([self.put] * len(texts), pa.string())
            case "replace" if self.pattern:
                return pc.replace_substring_regex(texts, pattern=self.find, replacement=self.put)
            case "replace":
                return pc.replace_substring(texts, pattern=self.find, replacement=self.put)
            case "strip":
                return pc.utf8_trim(texts, characters=self.find) if self.find else pc.utf8_trim_whitespace(texts)
            case "map":
                return self._mapped(texts)
            case "remove":
                return pa.nulls(len(texts), pa.string())

    def _mapped(self, texts: Text) -> Text:
        known = pa.array([before for before, _ in self.pairs], pa.string())
        after = pa.array([after for _, after in self.pairs], pa.string())
        trimmed = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
        place = pc.index_in(trimmed, value_set=known)
        return pc.if_else(pc.is_valid(place), after.take(place), texts)

    def corrected(self, values: Sequence[Any]) -> list[Record | str]:
        """Return n scanned records as the recipe makes them; why not, in words, for those that it leaves alone.

        A value that is no text (an object, ``true``) can only be set or left out.
        """
        before = [value.get(self.field) if isinstance(value, dict) else None for value in values]
        texts = pa.array([_text(old) for old in before], pa.string())
        return [
            self._with(value, old, new) if isinstance(value, dict) else UNREADABLE
            for value, old, new in zip(values, before, self.apply(texts).to_pylist(), strict=True)
        ]

    def _with(self, record: Record, old: Any, new: str | None) -> Record | str:
        if old is not None and _text(old) is None and self.how not in ("set", "remove"):
            return UNCHANGED
        if (old or None) == (new or None) and (new or self.how != "remove" or self.field not in record):
            return UNCHANGED
        made = {**record, self.field: new}
        if not new:
            del made[self.field]
        # A correction is kept as jsonb. To put another character in the place of one that jsonb cannot hold, or one of
        # two values of a doubled field, would let a record in that is not the one that came.
        return made if not isinstance(record, DoubledMembers) and is_storable(made) else UNKEPT

    def in_words(self) -> str:
        """Say what it does."""
        match self.how:
            case "set":
                return f"{self.field} becomes “{self.put}”"
            case "replace":
                kind = "each match of " if self.pattern else ""
                return f"in {self.field}, {kind}“{self.find}” becomes “{self.put}”"
            case "strip":
                return f"{self.field} loses {f'“{self.find}”' if self.find else 'white space'} at both ends"
            case "map":
                shown = ", ".join(f"“{before or NOTHING}” → “{after or NOTHING}”" for before, after in self.pairs[:5])
                more = f" and {len(self.pairs) - 5} more" if len(self.pairs) > 5 else ""
                return f"in {self.field}, {shown}{more}"
            case "remove":
                return f"{self.field} is left out"

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads."""
        return asdict(self)


def from_json(stored: dict[str, Any]) -> Recipe:
    """Read a stored recipe."""
    return Recipe(**{**stored, "pairs": tuple((before, after) for before, after in stored["pairs"])})


def _text(value: Any) -> str | None:
    """Return a value that is a text, and can be a row of a column."""
    return value if isinstance(value, str) and is_storable(value) else None
