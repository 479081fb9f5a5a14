"""A sign: what a file as a whole shows, or what the options say of it, by which its text becomes records.

Signs are decided before a file's first record is judged, and kept in its account: rejects are read again by those of
the account they came with. The record that a file means under its signs gets the same verdict by every door.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from ingest.rules.null_words import NONE

type SignName = Literal["times", "null", "midnight", "escape", "encoding"]

SIGN_NAMES: tuple[SignName, ...] = ("times", "null", "midnight", "escape", "encoding")

TIMES = ("wall", "instant")

# What a text without the sign means.
_UNCHANGED: Mapping[SignName, str] = {"times": "instant", "null": NONE}


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One sign: its ``value``, the ``columns`` that it is for (none: all it can be for), and in words why.

    ``asked``: an option said so, not the file.
    """

    value: str = ""
    columns: tuple[str, ...] = ()
    evidence: str = field(default="", compare=False)
    asked: bool = field(default=False, compare=False)

    @property
    def words(self) -> str:
        """Say what it is and why."""
        meant = " ".join(filter(None, (self.value, ", ".join(self.columns))))
        return f"{meant} ({self.evidence})"

    def as_json(self) -> dict[str, Any]:
        """Return it as the account keeps it."""
        columns = {"columns": list(self.columns)} if self.columns else {}
        return {"value": self.value, **columns, "evidence": self.evidence, "asked": self.asked}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read it as the account keeps it."""
        return cls(
            value=kept["value"],
            columns=tuple(kept.get("columns", ())),
            evidence=kept["evidence"],
            asked=kept["asked"],
        )


@dataclass(frozen=True)
class Signs:
    """All signs of one file, by their names; a name that is not there is a sign that the file does not show.

    ``times``: ``wall`` (zones are taken off) or ``instant``; ``null``: the word that stands for NULL, or ``none``;
    ``midnight``: the columns whose bare dates are midnights; ``escape``: ``backslash``; ``encoding``: ``utf-8-twice``
    or ``cp1252``.
    """

    by_name: Mapping[SignName, Sign] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def value(self, name: SignName) -> str:
        """Return a sign's value, ``""`` where the file does not show it."""
        sign = self.by_name.get(name)
        return sign.value if sign else ""

    def columns(self, name: SignName) -> tuple[str, ...]:
        """Return the columns that a sign is for."""
        sign = self.by_name.get(name)
        return sign.columns if sign else ()

    def has(self, name: SignName) -> bool:
        """Tell whether it is decided, even if by an option that says ``none``."""
        return name in self.by_name

    def with_sign(self, name: SignName, sign: Sign) -> "Signs":
        """Return them with one more, or another."""
        return Signs({**self.by_name, name: sign})

    def without(self, name: SignName) -> "Signs":
        """Return them without one."""
        return Signs({other: sign for other, sign in self.by_name.items() if other != name})

    @property
    def null_word(self) -> str:
        """The word that stands for NULL; ``""`` where none does."""
        word = self.value("null")
        return "" if word == NONE else word

    @property
    def asked(self) -> "Signs":
        """Those that options said."""
        return Signs({name: sign for name, sign in self.by_name.items() if sign.asked})

    @property
    def meaning(self) -> str:
        """Write what they say, without why; the same for the same signs, ``""`` where none changes what is read."""
        said = [
            [name, sign.value, *sign.columns]
            for name, sign in sorted(self.by_name.items())
            if sign.value != _UNCHANGED.get(name)
        ]
        return json.dumps(said) if said else ""

    def as_json(self) -> dict[str, Any]:
        """Return them as the account keeps them."""
        return {name: self.by_name[name].as_json() for name in SIGN_NAMES if name in self.by_name}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Signs":
        """Read them as the account keeps them."""
        return cls({name: Sign.from_json(kept[name]) for name in SIGN_NAMES if name in kept})


def told(by_table: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Say each sign once, as accounts keep them, behind the tables whose files it is for."""
    tables: dict[tuple[SignName, str], list[str]] = {}
    for table, kept in by_table.items():
        for name, sign in Signs.from_json(kept).by_name.items():
            tables.setdefault((name, sign.words), []).append(table)
    return [(", ".join(shown), f"{name} {words}") for (name, words), shown in tables.items()]


def signs_asked(how: str, **values: str) -> Signs:
    """Return the signs that somebody names by ``values`` (empty: not named); ``how``: ``--{}`` or ``?{}=``."""
    names = [name for name in SIGN_NAMES if values.get(name)]
    return Signs(
        {name: Sign(value=values[name], evidence=f"asked for by {how.format(name)}", asked=True) for name in names}
    )
