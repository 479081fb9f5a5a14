"""Restores of all tables of a run know which run that was."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be NULL: no row is written again."""

    dependencies: ClassVar = [("backups", "0004_last_due_at")]

    operations: ClassVar = [
        migrations.AddField(model_name="restore", name="run", field=models.UUIDField(null=True, blank=True)),
    ]
