"""Records read all at once are those that were cut out with care, or they are left to care."""

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web.request_bodies import JSON, Body
from ingest.api.request import envelope
from ingest.api.request.careful import cut
from ingest.api.request.envelope import read_json
from ingest.processing.records import Records
from ingest.readers.json.records import records_from_json
from ingest.rules.contract import Contract
from olist.sources import SOURCES

CONTRACTS = {source.table: source.contract for source in SOURCES if source.table in ("orders", "order_items")}
_marks = st.sampled_from(['":', "{", "a}", "a:b", "1037"])
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | _marks
_odd: st.SearchStrategy[Any] = st.booleans() | st.just([]) | st.just({"a": 1})
_values: st.SearchStrategy[Any] = st.none() | _texts | st.integers() | st.floats() | _odd
_blanks = st.sampled_from(["", " ", "\n"])


@st.composite
def _objects(draw: st.DrawFn, table: str) -> str:
    """Write an object as a client might: names that come twice or are unknown, and blanks at odd places, but seldom."""
    usual = draw(st.booleans())
    names = st.sampled_from([*CONTRACTS[table].names, *([] if usual else ["unknown", "é"])])
    members = draw(st.lists(st.tuples(names, st.none() | _texts if usual else _values), max_size=6))
    blank = "" if usual else draw(_blanks)
    return "{" + ", ".join(f"{json.dumps(name)}{blank}: {json.dumps(value)}" for name, value in members) + "}"


@st.composite
def _bodies(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        records = ",".join(draw(st.lists(_objects("orders"), min_size=1, max_size=4)))
        return f'{{"table": "orders", "records": [{records}]}}'
    tables = draw(st.lists(st.sampled_from(list(CONTRACTS)), min_size=1, max_size=4))
    tagged = [f'{{"table": "{table}", "ref": "r", "data": {draw(_objects(table))}}}' for table in tables]
    return f'{{"records": [{", ".join(tagged)}], "mode": "atomic"}}'


def _facts(records: Records) -> dict[str, Any]:
    return {
        "columns": records.columns.to_pydict(),
        "position": records.position.to_pylist(),
        "raw": records.exact().to_pylist(),
        "absent": {name: mask.to_pylist() for name, mask in records.absent.items()},
        "faults": records.faults.to_pylist(),
        "unreadable": records.unreadable.to_pylist(),
    }


def _with_care(text: str, contract: Contract) -> Records:
    return records_from_json(cut(text).sent[contract.table], contract)


@pytest.fixture(scope="module", autouse=True)
def _also_short_ones() -> Iterator[None]:
    with mock.patch.object(envelope, "TEXTS_FROM_BYTES", 0):
        yield


@st.composite
def _of_texts(draw: st.DrawFn) -> str:
    """Write a body of which Arrow reads most: each record names each column, but for one here and there."""
    one = st.fixed_dictionaries(dict.fromkeys(CONTRACTS["orders"].names, st.none() | _texts))
    records = draw(st.lists(one, min_size=1, max_size=4))
    for name in draw(st.lists(st.sampled_from(CONTRACTS["orders"].names), max_size=1)):
        records[0].pop(name)
    around = draw(
        st.fixed_dictionaries({}, optional={"mode": st.just("[") | st.none(), "dry_run": st.booleans() | st.none()})
    )
    body = {"table": "orders", **around, "records": records}
    body |= draw(st.fixed_dictionaries({}, optional={"results": st.sampled_from([None, "]", ":"])}))
    space, after = draw(st.sampled_from([(", ", ": "), (",", ":"), (",\n", " :")])), draw(_blanks)
    return json.dumps(body, ensure_ascii=draw(st.booleans()), separators=space) + after


@given(_bodies() | _of_texts())
def test_either_way_gives_the_same_records(text: str) -> None:
    envelope, parcel = read_json(Body(JSON, text.encode())), cut(text)
    assert (envelope.members, envelope.tables) == (parcel.members, tuple(parcel.sent))
    assert (envelope.tagged, envelope.refs, envelope.groups) == (parcel.tagged, parcel.refs, parcel.groups)
    for table in envelope.tables:
        assert _facts(envelope.records(CONTRACTS[table])) == _facts(_with_care(text, CONTRACTS[table]))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"table":"orders","records":[{"order_id":"a"},{"order_id":null}]}', id="as programs write"),
        pytest.param('{"records": [{"table": "orders", "data": {"order_id": 5}}]}', id="tagged"),
        pytest.param('{"table":"orders","records":[{"order_id":"a\\u00e3"}]}', id="escapes"),
    ],
)
def test_what_programs_write_is_read_at_once(text: str) -> None:
    assert read_json(Body(JSON, text.encode())).plain


NULLS = json.dumps(dict.fromkeys(CONTRACTS["orders"].names))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(f'{{"table":"orders","records":[{NULLS}]}}', True, id="nulls"),
        pytest.param(f'{{"table":"orders","dry_run":true,"records":[{NULLS}]}}\n', True, id="members before"),
        pytest.param(f'{{"table":"orders","records":[{NULLS}],"dry_run":true}}', False, id="members behind"),
        pytest.param(f'{{"table":"orders","mode":null,"records":[{NULLS}]}}', False, id="a member that is null"),
        pytest.param(f'{{"table":"orders","records":[{NULLS}]}} {{"table":"x"}}', False, id="two documents"),
        pytest.param(f'{{"table":"orders","records":[{NULLS}, {{}}]}}', False, id="an empty record"),
        pytest.param(f'{{"table":"orders","records":[{NULLS.replace("null", "5", 1)}]}}', False, id="a number"),
        pytest.param(f'{{"table":"nothing","records":[{NULLS}]}}', False, id="no table"),
        pytest.param('{"table":"orders","records":[]}', False, id="nothing"),
    ],
)
def test_records_of_texts_alone_are_read_by_arrow(text: str, found: bool) -> None:  # noqa: FBT001 - a parameter
    data = text.encode()
    assert (envelope._read_texts(data) is not None) is found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"table":"orders","records":[{"order_id":"a","order_id":"b"}]}', id="named twice"),
        pytest.param('{"table":"orders","records":[{"order_id" :"a","order_id":"b"}]}', id="named twice, a blank"),
        pytest.param('{"table":"orders","records":[{"order_id":"\\":"}]}', id="a text that looks like a name"),
        pytest.param('{"table":"orders","records":[5]}', id="no object"),
        pytest.param('{"table":"orders","records":[{"order_id":{"a":"b"}}]}', id="nested"),
    ],
)
def test_what_may_name_a_member_twice_is_read_with_care(text: str) -> None:
    assert not read_json(Body(JSON, text.encode())).plain
