"""`dumpdata`, `flush` and `loaddata`: everything that the site keeps comes back as it was, also elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from backups.backing_up.backup import backup
from backups.models import BackupSchedule, Restore
from backups.restoring.restore import RestoreOrder, restore
from ingest.models import BulkChunk, BulkJob, RejectedRecord
from olist.sample import write_sample
from tests.support.api.client import ApiClient, client_of, trusted
from tests.support.api.parcels import one_table, record
from tests.support.desk.people import DESK, refused, staff
from tests.support.loading.loads import hex_id, load, query

pytestmark = pytest.mark.usefixtures("committed")

OTHER_NUMBERS = """
set constraints all deferred;
update auth_user_user_permissions set permission_id = 1000 - permission_id;
update auth_permission set content_type_id = content_type_id + 100, id = 1000 - id;
update django_content_type set id = id + 100
"""  # as of a database whose migrations ran in another order


def whole_database() -> dict[str, list[str]]:
    """Return the rows of all tables as PostgreSQL writes them."""
    models = apps.get_models(include_auto_created=True)
    return {
        table: [row for (row,) in query(f'select t::text from "{table}" t order by 1')]
        for table in sorted({model._meta.db_table for model in models if model not in of_tests()})
    }


def of_tests() -> list[type[Model]]:
    """Return the models of other tests, whose tables are only there when those have run."""
    return [model for model in apps.get_models() if model.__module__.startswith("tests.")]


def dump(*labels: str, to: Path) -> str:
    exclude = [model._meta.label for model in of_tests()]
    call_command("dumpdata", *labels, format=to.suffix[1:], exclude=exclude, output=str(to), verbosity=0)
    return str(to)


def flush() -> None:
    call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def token(tmp_path: Path, settings: Any) -> Iterator[str]:
    """Rows in every table that people or programs write to, and a token of the API."""
    settings.DATAFORGE_BACKUP_STORE = str(tmp_path / "store")
    flush()
    query(OTHER_NUMBERS)
    write_sample(tmp_path / "files", scale=0.0003, seed=3, dirty=0.05)
    load(tmp_path / "files")
    client = trusted()
    wrong = {**record("sellers", seller_id=hex_id(7)), "seller_state": "Rio"}
    odd = '{"seller_id": 1.10, "seller_state": 123456789012345678901234567890.12, "seller_city": 1e500, "x": [null]}'
    body = json.dumps({"table": "sellers", "records": [wrong, '\u00e3 \\ " no object', "ODD"]}).replace('"ODD"', odd)
    sent = client.post(body, Idempotency_Key="once")
    number = sent.json["results"][0]["reject_id"]
    mended = {**wrong, "seller_state": "RJ"}
    assert client.post({"record": mended}, to=f"/api/v1/rejects/{number}/replay/").status == 201
    root = User.objects.get(username="root")
    User.objects.update(is_staff=True)
    permissions = Permission.objects.filter(codename__contains="reject")
    root.user_permissions.set(permissions)
    root.groups.add(Group.objects.create(name="shops"))
    Group.objects.get().permissions.set(permissions)
    job = BulkJob.objects.create(action="repair", user=root, numbers=[1, 2], recipe={"a": [1, None, "\u20ac"]})
    BulkChunk.objects.create(job=job, place=0, numbers=[1, 2], batches=[sent.json["id"]])
    BackupSchedule.objects.create(name="nightly", cron="30 3 * * *", tables=["orders", "a,b"])
    backup(["sellers"])
    restore(RestoreOrder("sellers"))
    browser = Client()
    browser.force_login(root)
    browser.post("/admin/auth/group/add/", {"name": "tills"}, secure=True)
    Restore.objects.create(table="sellers", path="/x", started_at=timezone.now())
    query("insert into ingest_chore values ('tend', now()) on conflict do nothing")
    yield client.headers["Authorization"].removeprefix("Token ")
    flush()


def sequences_behind() -> list[str]:
    """Name the tables whose next row would get a number that is taken."""
    keys = query(
        "select format('%%I', c.relname), a.attname, pg_get_serial_sequence(format('%%I', c.relname), a.attname)"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attidentity <> ''"
        " where c.relname = any(%s)",
        list(whole_database()),
    )
    assert len(keys) > 10
    behind = "select 1 from {1} having max({2}) > (select last_value from {0}) or not (select is_called from {0})"
    return [table for table, column, name in keys if query(behind.format(name, table, column))]


@pytest.mark.parametrize(
    "form", ["json", pytest.param("jsonl", marks=pytest.mark.slow), pytest.param("yaml", marks=pytest.mark.slow)]
)
def test_everything_comes_back_into_a_flushed_database(token: str, tmp_path: Path, form: str) -> None:
    before = whole_database()
    assert {table for table, rows in before.items() if not rows} == set()
    dumped = dump(to=tmp_path / f"all.{form}")
    flush()
    call_command("loaddata", dumped, verbosity=0)
    assert whole_database() == before
    assert sequences_behind() == []
    sent = ApiClient(token).post(one_table("sellers", record("sellers", seller_id=hex_id(8)), {}))
    assert sent.counts == {"read": 2, "inserted": 1, "rejected": 1}


def test_a_flushed_site_works_with_all_its_permissions(settings: Any) -> None:
    query(OTHER_NUMBERS)
    before = set(Permission.objects.values_list("content_type__app_label", "codename"))
    refused("sellers", seller_state="Rio")
    flush()
    assert set(Permission.objects.values_list("content_type__app_label", "codename")) >= before
    assert {("ingest", "dismiss_rejectedrecord"), ("backups", "restore_backup")} < before
    assert not RejectedRecord.objects.exists()
    sent = client_of(rights={"seller": ("add",)}).post(one_table("sellers", record("sellers")))
    assert (sent.status, sent.counts) == (201, {"read": 1, "inserted": 1})
    settings.METRICS_TOKEN = "of a test"
    metrics = Client().get("/metrics", headers={"Authorization": "Bearer of a test"})
    assert (metrics.status_code, b'outcome="inserted"' in metrics.content) == (200, True)


def test_what_stands_in_the_database_stays_when_its_permissions_get_a_dumps_numbers(tmp_path: Path) -> None:
    dumped = dump("contenttypes", "auth.permission", to=tmp_path / "permissions.json")
    numbered = "select id, app_label, model from django_content_type", "select id, codename from auth_permission"
    before = [sorted(query(statement)) for statement in numbered]
    query(OTHER_NUMBERS)
    ana = staff("ana", *DESK)
    call_command("loaddata", dumped, verbosity=0)
    assert ana.get_all_permissions() == set(DESK)
    assert [sorted(query(statement)) for statement in numbered] == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.json", '[{"model": "auth.user", "pk": 1', "Expecting"),
        ("model.json", '[{"model": "auth.nothing", "pk": 1}]', "Invalid model identifier"),
        ("field.json", '[{"model": "auth.group", "pk": 1, "fields": {"x": 1}}]', "has no field named 'x'"),
        (
            "key.json",
            '[{"model": "access.token", "pk": "a", "fields": {"user": 7, "name": "a"}}]',
            "null value|invalid",
        ),
        ("rule.json", '[{"model": "olist.seller", "pk": "a", "fields": {"seller_state": "XX"}}]', "olist_sellers"),
        ("cut.xml", "<django-objects><object", "unclosed token"),
        ("bare.json.gz", "[]", "bare.json.gz"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_words(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(CommandError, match=f"(?s)^Nothing was loaded. .*{said}"):
        call_command("loaddata", str(tmp_path / name), verbosity=0)
