"""Signs that a table can show."""

from ingest.readers.csv.signs import Signs
from ingest.readers.signs.times import moments_of
from ingest.rules.contract import Contract


def fitting(signs: Signs, contract: Contract) -> Signs:
    """Return ``signs`` without those that are for no column of the table."""
    if signs.has("times") and not moments_of(contract):
        signs = signs.without("times")
    if signs.has("null") and not any(column.null for column in contract.columns):
        signs = signs.without("null")
    return signs
