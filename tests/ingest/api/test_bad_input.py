"""Whatever is sent gets a clear answer, and nothing that was read is lost."""

import base64
import gzip
import json
import re
from typing import Any

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.api.client import BATCHES, Answered, ApiClient
from tests.support.loading.loads import PLAIN

pytestmark = pytest.mark.django_db
TABLE = "customers"
GOOD = json.dumps(PLAIN[TABLE])
LINES = f"{BATCHES}?table={TABLE}"
CSV, NDJSON = "text/csv", "application/x-ndjson"
HEADER = ",".join(PLAIN[TABLE])
# What an answer must never hold: SQL, a path, a stack, an object of Python.
SECRETS = re.compile(r"select |insert |\.py\b|/ingest/|Traceback|psycopg|<[a-z_.]+ object", re.IGNORECASE)


def envelope(records: str = GOOD, **members: str) -> str:
    """Write an envelope of texts as they are."""
    named = {"table": f'"{TABLE}"', "records": f"[{records}]", **members}
    return f"{{{', '.join(f'"{name}": {text}' for name, text in named.items())}}}"


def tagged(**members: str) -> str:
    """Write an envelope of one record that names its table itself."""
    named = {"table": f'"{TABLE}"', "data": GOOD, **members}
    return f'{{"records": [{{{", ".join(f'"{name}": {text}' for name, text in named.items())}}}]}}'


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def assert_problem(answered: Answered, status: int, *parts: str) -> None:
    """Assert that it is a problem document that gives nothing away and says all ``parts``; nothing was kept."""
    assert answered.status == status, answered
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert answered.json["status"] == status
    assert answered.json["request_id"] == answered.headers["X-Request-ID"]
    assert not SECRETS.search(answered.text)
    assert len(answered.text) < 2000
    for part in parts:
        assert part in answered.text
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (" ", "a value is missing"),
        ("NaN", "must be an object"),
        ("1", "must be an object"),
        ('"x"', "must be an object"),
        ("{}", "`records` is missing"),
        (GOOD.encode("utf-16"), "not JSON"),
        (nested(10_000), "nested deeper"),
        ('{"a":' * 100_000, "nested deeper"),
        (envelope("")[:-3], "not JSON"),
        (envelope() + "x", "something follows"),
        (envelope(f"{GOOD},"), "a value is missing"),
        (envelope(""), "1 to 1,000"),
        (envelope(nested(9000)), "nested deeper"),
        (envelope("1," * 900 + nested(40)), "nested deeper"),
        (envelope(mode=nested(3000)), "nested deeper"),
        (envelope(table=nested(500)), "nested deeper"),
        (envelope(mode='"\\ud800"'), "none of partial, atomic"),
        (envelope(mode='"' + "m" * 100_000 + '"'), "none of partial, atomic"),
        (envelope(mode="NaN"), "none of partial, atomic"),
        (envelope(dry_run="Infinity"), "boolean"),
        (envelope(dry_run='"true"'), "boolean"),
        (envelope(table="null"), "may not be null"),
        (envelope(table='""'), "may not be blank"),
        (envelope(table='"\\u0000"'), "Null characters"),
        (envelope(table='"\\ud800"'), "Surrogate characters"),
        (envelope(table="NaN"), "Not a valid string"),
        (envelope(**{"\\ud800\\u0000": "1"}), "no such member"),
        (envelope(**{f"u{number}": "1" for number in range(50)}), "no such member"),
        (envelope(**{f"u{number}": "1" for number in range(500)}), "more than 100 members"),
        ('{"records": [], "records": []}', "named twice"),
        ('{"table": "a", "table": "b"}', "named twice"),
        (tagged(table="1"), "/records/0/table"),
        (tagged(table='""'), "Name the table"),
        (tagged(ref='"a\\u0000"'), "/records/0/ref"),
        (tagged(ref="null"), "/records/0/ref"),
        (tagged(group='"\\ud800"'), "/records/0/group"),
        (tagged(group=f'"{"g" * 201}"'), "/records/0/group"),
        (tagged(**{"\\ud800": "1"}), "There is no member"),
        ('{"records": [{"table": "orders", "data": {}, "data": {}}]}', "named twice"),
        ('{"records": [1]}', "/records/0"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(api: ApiClient, body: Any, said: str) -> None:
    assert_problem(api.post(body), 400, said)


@pytest.mark.parametrize("table", ["__class__", "orders; drop table", " customers ", "\ufffd", "o" * 5000])
def test_a_table_that_is_none_is_not_found(api: ApiClient, table: str) -> None:
    assert_problem(api.post(envelope(table=json.dumps(table))), 404, "Tables: ")


def test_too_many_records_are_told_by_their_bound(api: ApiClient) -> None:
    assert api.post(envelope(",".join(["1"] * 1001))).json["max_records"] == 1000


@pytest.mark.parametrize(
    ("body", "kind"), [("1\n" * 1001, NDJSON), (f"{HEADER}\n" + "x\n" * 1001, CSV)], ids=["NDJSON", "CSV"]
)
def test_too_many_lines_are_told_by_their_bound(api: ApiClient, body: str, kind: str) -> None:
    assert_problem(api.post(body, to=LINES, kind=kind), 413, "max_records")


@pytest.mark.parametrize(
    ("body", "headers"),
    [(" " * 1001, {}), (gzip.compress(b"0" * 1001), {"Content-Encoding": "gzip"})],
    ids=["as they are", "packed"],
)
def test_too_many_bytes_are_told_by_their_bound(
    api: ApiClient, settings: Any, body: Any, headers: dict[str, str]
) -> None:
    settings.API_MAX_BYTES = 1000
    assert_problem(api.post(body, **headers), 413, "max_bytes")


ODD_VALUES = [
    '"\\ud800"', '"a\\u0000b"', "9" * 400, "1e999999999", "-0", "NaN", "true", "{}", nested(20),
    '"' + "x" * 300_000 + '"',
    '"a", "customer_id": "b"', '"a", "\\u0000": "\\u0000"', '"a", "\\ud800": {"\\udfff": []}',
    ", ".join(['"a"', *(f'"u{number}": {number}' for number in range(1900))]),
]  # fmt: skip
ODD_RECORDS = [
    *("1", "null", "true", "NaN", "-Infinity", '"x"', '"\\ud800"', "[]", "{}"),
    *(f'{{"customer_id": {value}}}' for value in ODD_VALUES),
]


def test_odd_records_are_rejected_one_by_one_with_their_exact_bytes(api: ApiClient) -> None:
    invalid = [b'{"customer_id": "\xff"}', b'{"\xed\xa0\x80": 1}', b'"\xfe"']
    sent = [*(record.encode() for record in ODD_RECORDS), *invalid]
    body = f'{{"table": "{TABLE}", "records": ['.encode() + b" ,\n".join([*sent, GOOD.encode()]) + b"]}"
    answered = api.post(body)
    assert answered.status == 207
    assert answered.counts == {"read": len(sent) + 1, "inserted": 1, "rejected": len(sent)}
    assert not SECRETS.search(answered.text)
    assert [result["index"] for result in answered.json["results"]] == list(range(len(sent)))
    assert all(result["reasons"] for result in answered.json["results"])
    assert kept() == sent


def kept() -> list[bytes]:
    """Return the bytes of all rejects in the order of their records."""
    return [bytes(reject.raw) for reject in RejectedRecord.objects.order_by("position")]


def test_every_line_of_ndjson_is_a_record_or_blank(api: ApiClient) -> None:
    odd = [b"{", GOOD.encode() + b" x", b"\xff\xff", nested(5000).encode(), nested(40).encode(), b"\x0b", b"\x00"]
    body = b"\n \t\n" + b"\r\n".join([*odd, GOOD.encode()]) + b"\n\n"
    answered = api.post(body, to=LINES, kind=NDJSON)
    assert answered.counts == {"read": len(odd) + 1, "inserted": 1, "rejected": len(odd)}
    assert kept() == odd


def test_every_line_of_csv_is_a_record_or_skipped(api: ApiClient) -> None:
    odd = [b"a,b", b"\xff" + b"," * 4, b'"open,b,c,d,e', b"a\rb,c,d,e,f", b"\x00,,,,", b'"",,', b'x"y' + b"," * 4]
    body = b"\xef\xbb\xbf" + "\r\n".join([HEADER, ",".join(PLAIN[TABLE].values())]).encode() + b"\r\n"
    answered = api.post(body + b"\r\n".join([*odd, b"last,,,,"]) + b"\r\n", to=LINES, kind=CSV)
    assert answered.counts == {"read": len(odd) + 2, "inserted": 1, "rejected": len(odd) + 1}
    assert kept() == [*odd, b"last,,,,"]


@pytest.mark.parametrize("line", [b"", b"," * 4, b"," * 9, b" , ", HEADER.encode(), b"\xef\xbb\xbf" + HEADER.encode()])
def test_a_body_of_lines_that_are_no_records_holds_none(api: ApiClient, line: bytes) -> None:
    answered = api.post(HEADER.encode() + b"\r\n" + line + b"\r\n", to=LINES, kind=CSV)
    assert (answered.status, RejectedRecord.objects.count()) == (400, 0)
    assert "1 to 1,000" in answered.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xef\xbb\xbf", "is empty"),
        (HEADER.encode(), "1 to 1,000"),
        (b"a,b\n1,2\n", "lacks 'customer_id'"),
        (HEADER.encode() + b",\xed\xa0\x80\n", "not UTF-8"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (f"{HEADER},{HEADER}\n".encode(), "names twice"),
        (HEADER.encode() + b"\0\n", "has unknown"),
        (b"a," * 100_000, "longer than 65536 bytes"),
    ],
)
def test_csv_with_a_wrong_header_is_refused_as_a_whole(api: ApiClient, body: bytes, said: str) -> None:
    assert_problem(api.post(body, to=LINES, kind=CSV), 400, said)


PACKED = gzip.compress(envelope().encode())


@pytest.mark.parametrize("body", [b"x", PACKED[:-5], PACKED + b"x", PACKED + PACKED[:-1], PACKED[:-8] + b"\0" * 8])
def test_damaged_gzip_is_refused(api: ApiClient, body: bytes) -> None:
    assert_problem(api.post(body, Content_Encoding="gzip"), 400, '"gzip"')


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip,gzip"}, 415),
        ({"Content-Encoding": "gzip, gzip"}, 415),
        ({"Content-Encoding": "gzip, identity"}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Encoding": "\xff"}, 415),
        ({"kind": "text/plain"}, 415),
        ({"kind": "application/json; charset=utf-16"}, 415),
        ({"kind": "application/json; charset=utf-8; charset=latin1"}, 415),
        ({"kind": "*/*"}, 415),
        ({"kind": "application/*"}, 415),
        ({"Accept": "text/html"}, 406),
        ({"Accept": "a/b;" * 5000}, 406),
        ({"Host": "evil"}, 400),
        ({"Idempotency-Key": ""}, 400),
        ({"Idempotency-Key": "k" * 256}, 400),
        ({"Idempotency-Key": "\xff"}, 400),
        ({"Idempotency-Key": "one,two"}, 400),
        ({"Idempotency-Key": "one, one"}, 400),
        ({"Authorization": "Token"}, 401),
        ({"Authorization": "Token a b"}, 401),
        ({"Authorization": "Token \0"}, 401),
        ({"Authorization": "Token \xff"}, 401),
        ({"Authorization": "Token " + "x" * 100_000}, 401),
        ({"Authorization": "\xff"}, 401),
    ],
)
def test_odd_headers_are_refused(api: ApiClient, headers: dict[str, str], status: int) -> None:
    assert_problem(api.post(envelope(), **headers), status)


@pytest.mark.parametrize("sent", ["a\r\nSet-Cookie: x", "x" * 65, "%0d%0a%0d%0a", "short"])
def test_an_odd_request_id_is_replaced(api: ApiClient, sent: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", api.post(envelope(), **{"X-Request-ID": sent}).headers["X-Request-ID"])


def test_a_wrong_token_is_counted_whatever_the_proxy_says(
    settings: Any, monkeypatch: pytest.MonkeyPatch, api: ApiClient
) -> None:
    monkeypatch.setattr("rest_framework.throttling.api_settings.NUM_PROXIES", 1)
    settings.API_BAD_TOKENS_PER_MINUTE = 1
    odd = {"Authorization": "Token x", "X-Forwarded-For": "\0" + "a" * 5000}
    assert [api.post(envelope(), **odd).status for _ in range(2)] == [401, 429]


def cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLACES = ["abc", "", "\0", "nan", "1.5", "2020-01-01", "2020-13-01", "0001-01-01T00:00:00", "2020-01-01T00:00:00+17:28"]


@pytest.mark.parametrize("list_of", ["batches", "rejects"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=x", 404),
        ("cursor=%FF", 404),
        *((f"cursor={cursor(f'p={place}')}", 404) for place in PLACES),
        *((f"cursor={cursor(odd)}", 404) for odd in ("o=-1", "r=" + "9" * 5000)),
        ("table=%00", 400),
        ("table=", 400),
        ("status=%00", 400),
        ("since=%00", 400),
        ("status=open&status=open", 400),
        ("%00=1", 400),
        ("__class__=1", 400),
        ("a&" * 1500, 400),
    ],
)
def test_odd_parameters_of_a_list_are_refused(api: ApiClient, list_of: str, query: str, status: int) -> None:
    assert_problem(api.get(f"/api/v1/{list_of}/?{query}"), status)


@pytest.mark.parametrize("list_of", ["batches", "rejects"])
@pytest.mark.parametrize(
    "query",
    [
        "until=9999-12-31T23:59:59.999999",
        "until=9999-12-31T23:59:59-12:00",
        "since=0001-01-01T00:00:00%2B14:00&until=2020-01-01T00:00:00%2B17:28",
        "table=customers",
    ],
)
def test_moments_at_the_ends_of_time_are_no_odd_parameters(api: ApiClient, list_of: str, query: str) -> None:
    answer = api.get(f"/api/v1/{list_of}/?{query}")
    assert (answer.status, answer.json["results"]) == (200, [])
