"""A schedule's destination was any folder or address; now it is a store that the settings name."""

import logging
from typing import Any

from django.db import migrations, models

from backups.files.named_stores import DEFAULT, store_names, store_url
from backups.files.store import full_address
from core.errors import DataForgeError

UNDECIDED = ""

log = logging.getLogger(__name__)


def name_stores(apps: Any, schema_editor: Any) -> None:
    """Give each schedule the store of its destination; turn those off whose destination is none."""
    schedules = apps.get_model("backups", "BackupSchedule").objects.using(schema_editor.connection.alias)
    for schedule in schedules.exclude(destination=""):
        schedule.store = _store_at(schedule.destination)
        if schedule.store == UNDECIDED:
            schedule.enabled = False
            schedule.last_error = (
                f"It went to {schedule.destination}, which no store of BACKUP_STORES is. Choose a store and turn it on."
            )
            log.warning("The backup schedule %s is off: %s", schedule.name, schedule.last_error)
        schedule.save()


def name_places(apps: Any, schema_editor: Any) -> None:
    """Give each schedule the place of its store; turn those off whose store the settings do not have."""
    schedules = apps.get_model("backups", "BackupSchedule").objects.using(schema_editor.connection.alias)
    for schedule in schedules.exclude(store__in=[UNDECIDED, DEFAULT]):
        try:
            schedule.destination = full_address(store_url(schedule.store))
        except DataForgeError as error:
            schedule.enabled, schedule.last_error = False, str(error)
        schedule.save()


def _store_at(destination: str) -> str:
    for name in store_names():
        try:
            if full_address(store_url(name)) == full_address(destination):
                return name
        except DataForgeError:  # no place for a backup, here or there
            continue
    return UNDECIDED


class Migration(migrations.Migration):

    dependencies = [
        ('backups', '0002_rights'),
    ]

    operations = [
        migrations.AddField(
            model_name='backupschedule',
            name='store',
            field=models.CharField(default='default', help_text='One that the settings name.', max_length=100),
        ),
        migrations.RunPython(name_stores, name_places),
        migrations.RemoveField(
            model_name='backupschedule',
            name='destination',
        ),
    ]
