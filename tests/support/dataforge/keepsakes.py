"""One of everything that the site keeps, and where it stands."""

from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType

from access.tokens import create_token
from backups.models import Backup, BackupSchedule, Restore
from ingest.models import Batch, BulkJob
from olist.models import Seller
from tests.support.desk.people import refused, send
from tests.support.loading.loads import PLAIN, hex_id

SECRET = "atlantis"  # stands in a stored seller, in a refused one, and in all that tells of either
SECRET_KEY = hex_id(0xA71A)
SECRET_ROWS = 987_654_321
type Keys = dict[str, tuple[str, ...]]


def keep_one_of_each() -> Keys:
    """Make a row of every table and one of all else, by somebody else; return keys by where addresses begin."""
    root = User.objects.create_superuser("root")
    create_token(root, name="till", expires=None)
    send(*((table, {}) for table in PLAIN), ("sellers", {"seller_id": SECRET_KEY, "seller_city": SECRET}))
    reject = refused("sellers", seller_id=SECRET_KEY, seller_city=f"new {SECRET}")
    kind = ContentType.objects.get_for_model(reject)
    LogEntry.objects.create(
        user=root, content_type=kind, object_id=str(reject.pk), object_repr=str(reject), action_flag=CHANGE
    )
    Group.objects.create(name="clerks")
    BackupSchedule.objects.create(name="nightly", cron="30 3 * * *", last_error=SECRET)
    BulkJob.objects.create(action="replay", status="done", user=root, numbers=[reject.pk])
    facts: dict[str, Any] = {"table": "olist_sellers", "path": "/x/sellers.parquet", "status": "done"}
    backup = Backup.objects.create(**facts, rows=SECRET_ROWS, bytes=SECRET_ROWS, error=SECRET)
    restore = Restore.objects.create(**facts, backup=backup, dry_run=True, report=_report(), error=SECRET)
    batch, seller = str(reject.batch_id), str(Seller.objects.get(pk=SECRET_KEY).pk)
    of_models = {admin_list(model): (str(model._default_manager.latest("pk").pk),) for model in admin.site._registry}
    return of_models | {
        "/api/v1/batches/": (batch,),
        "/api/v1/rejects/": (str(reject.pk),),
        "/api/v1/tables/": ("sellers",),
        "/api/v1/backups/": (str(backup.pk),),
        "/api/v1/restores/": (str(restore.pk),),
        admin_list(Batch): (batch,),
        admin_list(Backup): (str(backup.pk), str(restore.pk)),
        "/admin/auth/user/": (str(root.pk),),
        "/admin/r/": (str(ContentType.objects.get_for_model(Seller).pk), seller),
    }


def admin_list(model: Any) -> str:
    """Return where the admin lists a model's rows."""
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def nobodys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return keys of the same kinds, of which the last is that of nothing."""
    last = keys[-1]
    absent = str(int(last) + 1_000) if last.isdigit() and len(last) < 32 else "f" * 32
    return (*keys[:-1], str(uuid4()) if "-" in last else absent)


def _report() -> dict[str, Any]:
    figures = {"rows": SECRET_ROWS, "added": 1, "changed": SECRET_ROWS, "removed": 0, "examples": [f"~ {SECRET_KEY}"]}
    table: dict[str, Any] = {
        "table": "olist_sellers",
        "path": "/x/sellers.parquet",
        "mode": "merge",
        "notes": [],
        "safety": None,
    }
    orphans = {"table": "olist_sellers", "columns": ["seller_city"], "parent": "olist_geolocation"}
    return {
        "seconds": 1.0,
        "tables": [table | figures],
        "orphans": [orphans | {"rows": SECRET_ROWS, "examples": [SECRET_KEY]}],
    }
