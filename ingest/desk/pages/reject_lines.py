"""A refused record field by field: what came, what normalising made of it, what is wrong, and the rule in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.models import RejectedRecord
from ingest.processing.check_column import check_column
from ingest.rules.contract import Column, Contract
from ingest.rules.in_words import column_in_words
from ingest.rules.sources import Source

NO_SUCH_FIELD = "This table has no such field."
_OF_MANY = ("check", "unique", "database")  # their value is put together of several fields
type Reason = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One field. ``came`` None: an explicit null, or (``absent``) no such member. ``normal``: its value where
    normalising changed it, by ``repairs``. ``checks``: messages of rules between fields that it takes part in."""

    name: str
    came: str | None
    absent: bool
    rule: str
    reasons: tuple[Reason, ...] = ()
    checks: tuple[str, ...] = ()
    normal: str | None = None
    repairs: tuple[str, ...] = ()
    known: bool = True

    @property
    def wrong(self) -> bool:
        """Whether the record was refused for it, alone or together with others."""
        return bool(self.reasons or self.checks)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is said against it."""
        return tuple(reason["message"] for reason in self.reasons)


def lines_of(reject: RejectedRecord, source: Source) -> tuple[Line, ...]:
    """Return a line for every column of the table, and then for every field that came without being one."""
    contract, record = source.contract, reject.record or {}
    parents = {reference.column: reference.table for reference in contract.references}
    broken = broken_checks(reject.reasons, contract)
    known = [
        _line(column, record, reject.reasons, broken, column_in_words(column, parents.get(column.name)))
        for column in contract.columns
    ]
    unknown = dict.fromkeys(
        [name for name in record if name not in contract.names]
        + [str(r["field"]) for r in reject.reasons if r["field"] and r["field"] not in contract.names]
    )
    return tuple(known) + tuple(
        Line(
            name=name,
            came=_came(name, record, reject.reasons),
            absent=False,
            rule=NO_SUCH_FIELD,
            reasons=tuple(reason for reason in reject.reasons if reason["field"] == name),
            known=False,
        )
        for name in unknown
    )


def broken_checks(reasons: Sequence[Reason], contract: Contract) -> dict[str, tuple[str, ...]]:
    """Return the columns of each broken rule between fields, by its message."""
    names = {reason.get("constraint") for reason in reasons}
    return {check.message: check.columns for check in contract.row_checks if check.name in names}


def general_reasons(reject: RejectedRecord) -> tuple[Reason, ...]:
    """Return the reasons that speak of the record as a whole."""
    return tuple(reason for reason in reject.reasons if not reason["field"])


def _line(
    column: Column, record: dict[str, Any], reasons: Sequence[Reason], broken: dict[str, tuple[str, ...]], rule: str
) -> Line:
    own = tuple(reason for reason in reasons if reason["field"] == column.name)
    came = _came(column.name, record, reasons)
    normal, repairs = _normalised(came, column)
    return Line(
        name=column.name,
        came=came,
        absent=column.name not in record and came is None,
        rule=f"{column.help_text} {rule}".strip(),
        reasons=own,
        checks=tuple(message for message, columns in broken.items() if column.name in columns),
        normal=normal,
        repairs=repairs,
    )


def _came(name: str, record: dict[str, Any], reasons: Sequence[Reason]) -> str | None:
    """Return the text that came; of what was no text (an object, a boolean), only the reason knows."""
    value = record.get(name)
    told = (r["value"] for r in reasons if r["field"] == name and r["value"] is not None and r["code"] not in _OF_MANY)
    return next(told, None) if value is None else str(value)


def _normalised(came: str | None, column: Column) -> tuple[str | None, tuple[str, ...]]:
    if came is None:
        return None, ()
    no = np.zeros(1, bool)
    checked = check_column(pa.array([came], pa.string()), column, absent=no, faulty=no)
    rules = tuple(rule for rule, _ in checked.repairs)
    if not rules:
        return None, ()
    text = pc.cast(checked.values, pa.string())[0].as_py()
    return ("" if text is None else text.removesuffix(".000000")), rules
