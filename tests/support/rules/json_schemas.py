"""A judge of records: the JSON Schema that their contract publishes."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from ingest.rules.contract import Contract
from ingest.rules.json_schema import json_schema
from tests.support.rules.strategies import Row


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Match as JSON Schema says, by ECMA-262, whose ``$`` accepts no trailing newline as Python's does."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


ByTheBook = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def validator(contract: Contract) -> Callable[[Row], bool]:
    """Return the schema's verdict on a record, both come over the wire, to those who reckon in floats or decimals."""
    text = json.dumps(json_schema(contract))
    judges = [(number, ByTheBook(json.loads(text, parse_float=number))) for number in (float, Decimal)]

    def is_valid(record: Row) -> bool:
        sent = json.dumps(record)
        verdicts: set[bool] = {judge.is_valid(json.loads(sent, parse_float=number)) for number, judge in judges}
        assert len(verdicts) == 1
        return verdicts.pop()

    return is_valid
