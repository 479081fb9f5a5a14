"""Rules in words: for each column one sentence that says what is allowed, and the messages of the row checks."""

from dataclasses import dataclass

from ingest.rules.contract import Column, Contract


@dataclass(frozen=True, kw_only=True)
class RulesInWords:
    """What a person must know to write a record: a sentence by column, in order, and a message by row check's name."""

    columns: dict[str, str]
    checks: dict[str, str]


def rules_in_words(contract: Contract) -> RulesInWords:
    """Put all rules of one record into words."""
    parents = {reference.column: reference.table for reference in contract.references}
    return RulesInWords(
        columns={column.name: column_in_words(column, parents.get(column.name)) for column in contract.columns},
        checks={check.name: check.message for check in contract.row_checks},
    )


def column_in_words(column: Column, parent: str | None = None) -> str:
    """Say in one sentence what the column allows; ``parent`` is the table that it refers to."""
    words = _allowed(column)
    if parent:
        words += f", the key of a record of {parent}"
    return f"{words}; it may be left empty." if column.null else f"{words}."


def _allowed(column: Column) -> str:
    low, high = (str(bound).removesuffix(".0") for bound in (column.min_value, column.max_value))
    if column.choices:
        return f"Choose one of: {', '.join(column.choices)}"
    if column.kind == "integer":
        return f"Enter a whole number from {low} to {high}"
    if column.kind == "decimal":
        return f"Enter a number from {low} to {high} in plain digits, with at most {column.decimal_places} decimals"
    if column.kind == "float":
        return f"Enter a number from {low} to {high}"
    if column.kind == "moment":
        return f"{column.message.rstrip('.')}, without a zone"
    words = column.message.rstrip(".") if column.pattern else "Enter text"
    return f"{words}, at most {column.max_length} characters" if column.max_length and not column.width else words
