"""The log: one JSON object a line, with what an operator needs, and never content, tokens or passwords."""

import io
import json
import logging
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.test import RequestFactory

from core.errors import TableBusy
from dataforge.logs import DiscreetFilter, formatter, logging_settings, told
from tests.support.manual.modules import PACKAGES

SECRET = "marked-secret"


def logged(call: Any, *, development: bool = False) -> str:
    """Return what a call writes through our handler."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(DiscreetFilter())
    handler.setFormatter(formatter(development=development))
    log = logging.getLogger("ingest.of_a_test")
    log.addHandler(handler)
    try:
        call(log)
    finally:
        log.removeHandler(handler)
    return stream.getvalue()


def failure(statement: str, *values: str) -> Exception:
    """Return the error of a statement."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def test_a_line_is_one_object_with_the_facts_that_may_be_seen() -> None:
    facts = {"batch": "b-1", "token": "till 7", "counts": {"read": 2}, "seconds": 0.5, "records": [SECRET]}
    text = logged(lambda log: log.info("two\nlines of %s", "text", extra=facts))
    assert text.count("\n") == 1
    line = json.loads(text)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "two\nlines of text",
        "level": "info",
        "logger": "ingest.of_a_test",
        "batch": "b-1",
        "token": "till 7",
        "counts": {"read": 2},
        "seconds": 0.5,
    }


@pytest.fixture
def twice(db: None) -> Exception:
    """The error of a key that is there already, which quotes it."""
    insert = "insert into access_counter values (%s, 1, 1)"
    failure("select 1/0")
    with connection.cursor() as cursor:
        cursor.execute(insert, [SECRET])
    error = failure(insert, SECRET)
    assert isinstance(error, IntegrityError)
    assert SECRET in str(error)
    return error


@pytest.fixture
def wrong(db: None) -> Exception:
    """The error of a value that is none of its type, which quotes it."""
    error = failure("select %s::int", SECRET)
    assert isinstance(error, DataError)
    return error


def test_an_error_of_postgresql_is_told_by_its_code_and_constraint(twice: Exception) -> None:
    assert told(twice) == "IntegrityError 23505 (access_counter_pkey)"


def test_an_error_of_postgresql_about_no_constraint_is_told_by_its_code(wrong: Exception) -> None:
    assert told(wrong) == "DataError 22P02"


@pytest.mark.parametrize("kind", ["twice", "wrong"])
def test_an_error_of_postgresql_is_logged_without_the_values_that_it_quotes(
    kind: str, request: pytest.FixtureRequest
) -> None:
    error = request.getfixturevalue(kind)
    text = logged(lambda log: log.error("refused: %s", error, exc_info=error))
    (outer, inner) = json.loads(text)["exception"]
    assert SECRET not in text
    assert (outer["error"], inner["error"].split()[1:]) == (told(error), told(error).split()[1:])
    assert any(place.startswith("tests/dataforge/test_logs.py:") for place in outer["at"])


def test_messages_of_other_errors_are_kept_back_but_for_those_whose_words_are_ours() -> None:
    busy = TableBusy(tables="olist_orders", holder="load", remedy="Wait.")
    assert told(busy) == "olist_orders: held by load. Wait."
    assert told(ValueError(SECRET)) == "ValueError"
    assert told(OperationalError(SECRET)) == "OperationalError"
    assert SECRET not in logged(lambda log: log.error(ValueError(SECRET)))


def test_the_causes_of_an_exception_are_told_in_their_order() -> None:
    def fail(log: logging.Logger) -> None:
        try:
            try:
                raise KeyError(SECRET)
            except KeyError as error:
                raise ValueError(SECRET) from error
        except ValueError:
            log.exception("failed")

    text = logged(fail)
    assert SECRET not in text
    assert [link["error"] for link in json.loads(text)["exception"]] == ["ValueError", "KeyError"]


def test_an_address_is_told_by_its_pattern() -> None:
    request = RequestFactory().get(f"/admin/olist/order/{SECRET}/change/")
    text = logged(lambda log: log.error("%s: %s", "Internal Server Error", request.path, extra={"request": request}))
    assert SECRET not in text
    assert "(no such address)" in text


def test_development_is_readable_and_keeps_the_whole_traceback() -> None:
    def fail(log: logging.Logger) -> None:
        try:
            raise ValueError("what was wrong")
        except ValueError:
            log.exception("failed")

    text = logged(fail, development=True)
    assert "Traceback" in text
    assert "ValueError: what was wrong" in text


def test_what_each_room_says_at_level_info_is_logged() -> None:
    loggers = logging_settings(development=False)["loggers"]
    assert {name for name, logger in loggers.items() if logger["level"] == "INFO"} >= set(PACKAGES) - {"dataforge"}
