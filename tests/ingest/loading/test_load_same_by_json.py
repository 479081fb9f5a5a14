"""What a file means under the signs of its bytes gets, posted as JSON, the verdict of the load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.models import RejectedRecord
from tests.support.api.client import trusted
from tests.support.loading.loads import FILES, ONE_OF_EACH, PLAIN, Row, hex_id, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")

MEANT = ['ele disse "não", e foi', "C:\\temp\\", "a\nb", "\0", "x", "y"]
GOOD: list[Row] = [
    {"review_id": hex_id(number), "review_comment_message": text, "order_id": hex_id(1)}
    for number, text in enumerate(MEANT, 1)
]
GOOD[4] |= {"review_score": "9"}
GOOD[5] |= {"order_id": hex_id(7)}
REVIEWS = [{**PLAIN["order_reviews"], **row} for row in GOOD]


def as_backslashes(text: str) -> bytes:
    escaped = "".join("\\" + ("0" if one == "\0" else one) if one in '"\\\n\0' else one for one in text)
    return f'"{escaped}"'.encode()


def as_cp1252(text: str) -> bytes:
    return f'"{text.replace('"', '""')}"'.encode("cp1252")


def as_utf8_twice(text: str) -> bytes:
    return f'"{text.replace('"', '""')}"'.encode().decode("latin-1").encode()


def kept() -> tuple[list[tuple[str, ...]], list[tuple[list[str], list[str], object]]]:
    """Return the stored texts, and what was refused of what."""
    rejects = RejectedRecord.objects.order_by("natural_key")
    rows = query("select review_id, review_comment_message from olist_order_reviews order by 1")
    return rows, [(reject.codes, reject.fields, reject.record) for reject in rejects]


@pytest.mark.parametrize(
    ("write", "option"),
    [
        (as_backslashes, ("--escape", "backslash")),
        (as_cp1252, ("--encoding", "cp1252")),
        (as_utf8_twice, ("--encoding", "utf-8-twice")),
    ],
    ids=["backslash", "cp1252", "utf-8-twice"],
)
def test_the_load_s_verdict_is_that_of_the_same_records_as_json(
    write: Callable[[str], bytes], option: tuple[str, str], tmp_path: Path
) -> None:
    folder = write_files(tmp_path, {**ONE_OF_EACH, "order_reviews": []})
    path = folder / FILES["order_reviews"]
    lines = [b",".join(write(row[name]) for name in PLAIN["order_reviews"]) for row in REVIEWS]
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    ran = load_json(folder, *option)
    assert ran.counts["order_reviews"] == {"read": 6, "inserted": 3, "rejected": 3}
    by_load = kept()
    query("delete from olist_order_reviews")
    query("delete from ingest_rejectedrecord")
    trusted().post({"table": "order_reviews", "records": REVIEWS})
    assert kept() == by_load
