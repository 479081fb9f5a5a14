"""Examples that are really accepted: one record of a table, and a batch that brings its parents along.

They are made of the rules alone. Equal rules give equal values, so a foreign key has the key of its parent's example,
and rules such as "not before" hold between moments.
"""

from decimal import Decimal
from typing import Any

from ingest.rules.contract import Column, Contract
from ingest.rules.sources import Source, sources

EXAMPLE_MOMENT = "2018-01-31 12:00:00"
EXAMPLE_NUMBER = 1
EXAMPLE_TEXT = "example"


def example_value(column: Column) -> Any:
    """Return a value that the column's rule accepts, as JSON writes it; a decimal as text, which no parser rounds."""
    if column.choices:
        return column.choices[0]
    if column.kind == "text":
        return str(column.example or EXAMPLE_TEXT)[: column.max_length]
    if column.example is not None:
        return column.example
    if column.kind == "moment":
        return EXAMPLE_MOMENT
    number = min(max(EXAMPLE_NUMBER, column.min_value), column.max_value)
    if column.kind == "decimal":
        return f"{Decimal(number):.{column.decimal_places}f}"
    return float(number) if column.kind == "float" else number


def example_record(contract: Contract) -> dict[str, Any]:
    """Return a record with a value for every column; into an empty table it needs its parents' examples beside it."""
    return {column.name: example_value(column) for column in contract.columns}


def example_batch(source: Source) -> dict[str, Any]:
    """Return the body of a batch of the tagged form: an example of the table and all its ancestors, parents first."""
    wanted = {source.table}
    for candidate in reversed(sources()):  # a child comes before its parents here, so one pass meets every ancestor
        if candidate.table in wanted:
            wanted.update(reference.table for reference in candidate.contract.references)
    family = [member for member in sources() if member.table in wanted]
    return {"records": [{"table": member.table, "data": example_record(member.contract)} for member in family]}
