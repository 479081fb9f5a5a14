"""Python values as PostgreSQL's text of an array: one literal, which the server reads far faster than a thousand."""

from collections.abc import Iterable
from typing import Any


def array_text(values: Iterable[Any]) -> str:
    """Write ``values`` for a parameter that is cast to an array, as ``%s::integer[]``; None is NULL.

    Each value is written by ``str``: text, numbers, decimals, dates and naive moments come back exactly.
    """
    return "{" + ",".join("NULL" if value is None else _quoted(str(value)) for value in values) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
