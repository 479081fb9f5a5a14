"""Whatever a scan is shown: each manifest is entered or named on its own, and what was entered breaks nothing."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.models import Backup
from tests.support.access.people import browser
from tests.support.api.client import ApiClient
from tests.support.backups.admin import CATALOGUE
from tests.support.backups.people import EVERYTHING, caller, person
from tests.support.backups.runs import backup_file, library, manifest_of, run
from tests.support.desk.admin_pages import page

pytestmark = pytest.mark.usefixtures("committed")
MOMENTS = st.sampled_from(
    [
        *("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999+00:00"),
        *("9999-12-31T23:59:59-23:59", "9997-12-31T23:59:59.999999-23:59:59.5", "1970-01-01T00:00:00+00:00"),
        *("infinity", "-infinity", "294276-12-31", "4714-11-24 BC", "2026-11-30", "2026-11-30T00:00:00"),
        *("2026-11-30T00:00:00+23:59", "2026-11-30T00:00:00.5+00:00:30"),
    ]
)
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63 - 1, 2**63, 10**30, -(2**63), 1.5, 1e308, True, "12", None])
TEXTS = st.sampled_from(
    ["", "\0", "\ud800", "x" * 63, "x" * 64, "x" * 101, "x" * 100_000, "a\nb", "\u202e", "<b>", "%s", "olist_orders"]
)
NESTED: Any = None
for _ in range(300):
    NESTED = [NESTED]
VALUES = MOMENTS | NUMBERS | TEXTS | st.text(max_size=5) | st.sampled_from([[], {}, NESTED, [{}], [[]], {"a": NESTED}])
TYPES = st.sampled_from(["numeric(10,99999999999999)", "numeric(0,0)", "character varying(99999999999)", "text[][]"])
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture
def sound(store: Path, tmp_path: Path) -> Path:
    """A sound backup, in a place that the catalogue has not seen."""
    library()
    path = backup_file("shelves", store)
    shutil.copytree(store, tmp_path / "shown")
    Backup.objects.all().delete()
    return tmp_path / "shown" / path.relative_to(store)


@pytest.fixture
def anas(sound: Path) -> tuple[ApiClient, Client]:
    """Somebody who may do everything, over HTTP and in the admin."""
    ana = person(*EVERYTHING, superuser=True)
    return caller(ana), browser(ana)


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """Members to be set in a sound manifest; of ``columns`` those of its first column."""
    names = ("id", "run", "table", "model", "key", "migrations", "rows", "fingerprint", "snapshot_at", "server")
    more = ("file", "bytes", "sha256", "format", "fingerprint_by", "columns", "nothing")
    changed: dict[str, Any] = draw(st.dictionaries(st.sampled_from(names + more), VALUES, min_size=1, max_size=3))
    if draw(st.booleans()):
        column = st.sampled_from(["name", "type", "nulls", "not_null", "minimum", "sum", "nothing"])
        changed["column"] = draw(st.dictionaries(column, VALUES | TYPES, min_size=1, max_size=2))
    return changed


def odd_manifest(path: Path, changed: dict[str, Any]) -> str:
    told = json.loads(manifest_of(path).read_text()) | {"id": str(uuid4()), "run": str(uuid4())}
    column = changed.pop("column", {})
    told |= changed
    if column and isinstance(told["columns"], list) and told["columns"] and isinstance(told["columns"][0], dict):
        told["columns"][0] |= column
    return json.dumps(told)


def assert_all_is_shown(api: ApiClient, admin: Client) -> None:
    """Every list, page and answer about backups works."""
    run("list_backups")
    run("list_backups", "--latest")
    run("prune_backups")
    page(admin, CATALOGUE)
    page(admin, "")
    rows = api.get("/api/v1/backups/")
    assert rows.status == 200, rows
    assert len(rows.json["results"]) == Backup.objects.count()
    for row in Backup.objects.all():
        assert api.get(f"/api/v1/backups/{row.pk}/").status == 200
        page(admin, f"{CATALOGUE}{row.pk}/change/")


def assert_scanned(shown: Path, sound: Path, odd: Path, *, api: ApiClient, admin: Client) -> None:
    """The sound one is entered, the odd one entered or named, and all is shown, before and after it was verified."""
    Backup.objects.all().delete()
    ran = run("list_backups", "--scan", shown)
    assert Backup.objects.filter(path=str(sound)).exists()
    assert Backup.objects.filter(path=str(odd)).exists() or odd.name in ran.err, ran
    assert_all_is_shown(api, admin)
    Backup.objects.update(verified_at=Backup.objects.values_list("started_at", flat=True)[:1])
    assert_all_is_shown(api, admin)


@pytest.mark.slow
@given(changed=mutations())
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
def test_a_scan_enters_or_names_each_manifest_and_all_that_was_entered_is_shown(
    changed: dict[str, Any], sound: Path, anas: tuple[ApiClient, Client]
) -> None:
    api, admin = anas
    shown, odd = sound.parents[2], sound.parents[2] / "odd" / "odd-1.parquet"
    odd.parent.mkdir(exist_ok=True)
    beside = odd.with_name("odd-1.parquet.manifest.json")
    beside.write_text(odd_manifest(sound, changed))
    assert_scanned(shown, sound, odd, api=api, admin=admin)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"{}", b"null", b'{"format": ' + b"9" * 5000 + b"}", b" " * (17 << 20)],
    ids=["empty", "cut", "no UTF-8", "deep", "nothing", "null", "long", "large"],
)
def test_what_is_no_manifest_is_named_beside_a_sound_one(
    content: bytes, sound: Path, anas: tuple[ApiClient, Client]
) -> None:
    api, admin = anas
    odd = sound.parents[2] / "odd-1.parquet"
    odd.with_name("odd-1.parquet.manifest.json").write_bytes(content)
    assert_scanned(sound.parents[2], sound, odd, api=api, admin=admin)
    assert not Backup.objects.filter(path=str(odd)).exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": 10**30},
        {"table": None},
        {"table": "x" * 101},
        {"snapshot_at": "9999-12-31T23:59:59.999999+00:00"},
        {"column": {"nulls": NESTED}},
        {"column": {"type": "numeric(10,99999999999999)"}},
    ],
    ids=["too many rows", "no table", "a long name", "the last moment", "deep", "no type"],
)
def test_what_no_backup_can_say_is_named_beside_a_sound_one(changed: dict[str, Any], sound: Path) -> None:
    odd = sound.parents[2] / "odd-1.parquet"
    odd.with_name("odd-1.parquet.manifest.json").write_text(odd_manifest(sound, dict(changed)))
    ran = run("list_backups", "--scan", sound.parents[2])
    assert [row.path for row in Backup.objects.all()] == [str(sound)]
    assert f"{odd} is not the backup that was written: its manifest cannot be read" in ran.err


def test_a_name_that_is_no_line_of_text_keeps_no_other_from_being_found(sound: Path) -> None:
    whole = manifest_of(sound).read_bytes()
    folder = bytes(sound.parents[2])
    for name in (b"a\nb", b"\xff"):
        with open(folder + b"/" + name + b".parquet.manifest.json", "wb") as file:  # noqa: PTH123 - no text
            file.write(whole)
    ran = run("list_backups", "--scan", sound.parents[2])
    assert [row.path for row in Backup.objects.all()] == [str(sound)]
    assert "its name is no line of text" in ran.err
