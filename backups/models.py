"""The catalogue of backups, the state of restores, and the schedules. What a backup holds is in its manifest."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backups.files.named_stores import DEFAULT
from backups.schedule_rules import schedule_errors

NAME_LENGTH = 100
UNDECIDED = ""  # the store of a schedule whose place was none of the stores, when these got names


class Status(models.TextChoices):
    """Where a backup or restore stands; ``pruned``: its file was removed by its retention."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    PRUNED = "pruned", _("pruned")


class Backup(models.Model):
    """One Parquet file of one table. Those of one ``run`` are of one snapshot and fit together."""

    class Origin(models.TextChoices):
        """Who wanted it; ``safety``: a restore, of what it was about to replace."""

        ASKED = "asked", _("asked for")
        SCHEDULE = "schedule", _("schedule")
        SAFETY = "safety", _("before a restore")
        FOUND = "found", _("found by a scan")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.UUIDField(default=uuid.uuid4)
    table = models.CharField(max_length=NAME_LENGTH)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.ASKED)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    schedule = models.ForeignKey(
        "BackupSchedule", on_delete=models.SET_NULL, null=True, blank=True, related_name="backups"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    path = models.TextField(help_text="The Parquet file: a path, or an s3:// address.")
    rows = models.BigIntegerField(null=True, blank=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    snapshot_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    drilled_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        permissions: ClassVar = [
            ("verify_backup", "Can verify a backup"),
            ("restore_backup", "Can restore a table from a backup"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["table", "-snapshot_at"], name="backups_backup_newest"),
            models.Index(fields=["-started_at", "id"], name="backups_backup_latest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["path"], condition=models.Q(status=Status.DONE), name="backups_backup_one_file"
            )
        ]

    def __str__(self) -> str:
        at = f"{timezone.localtime(self.snapshot_at):%Y-%m-%d %H:%M:%S}" if self.snapshot_at else self.status
        return f"{self.table} {at}"


class Restore(models.Model):
    """One restore of a table (with its children, where asked), or a dry run of one, and what came of it.

    ``run``: it was restored with all tables of that run, in one transaction: their rows end alike.
    """

    class Mode(models.TextChoices):
        """How the rows come back."""

        REPLACE = "replace", _("replace")
        MERGE = "merge", _("merge")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.CharField(max_length=NAME_LENGTH)
    path = models.TextField(help_text="The Parquet file that was restored.")
    run = models.UUIDField(null=True, blank=True)
    backup = models.ForeignKey(Backup, on_delete=models.SET_NULL, null=True, blank=True, related_name="restores")
    safety = models.ForeignKey(Backup, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode.choices, blank=True, help_text="Empty: to be chosen.")
    with_children = models.BooleanField(default=False)
    dry_run = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    report = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.table} {timezone.localtime(self.started_at):%Y-%m-%d %H:%M}"


class BackupSchedule(models.Model):
    """When to back up which tables, to which store, and how many to keep."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    cron = models.CharField(max_length=NAME_LENGTH, help_text="Five fields, as in: 30 3 * * *")
    time_zone = models.CharField(max_length=NAME_LENGTH, default="UTC", help_text="As in: America/Sao_Paulo")
    tables = ArrayField(
        models.CharField(max_length=NAME_LENGTH), default=list, blank=True, help_text="None: all of --all."
    )
    store = models.CharField(max_length=NAME_LENGTH, default=DEFAULT, help_text="One that the settings name.")
    keep_last = models.PositiveIntegerField(default=7)
    keep_daily = models.PositiveIntegerField(default=0)
    keep_weekly = models.PositiveIntegerField(default=0)
    keep_monthly = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_due_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="The moment that it ran for.")
    last_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what could not run, field by field; one that is off may keep a store that the settings lost."""
        errors = self.errors_by_field()
        if not self.enabled:
            errors.pop("store", None)
        if errors:
            raise ValidationError(errors)

    def errors_by_field(self) -> dict[str, str]:
        """Say what about it could not run, by field."""
        return schedule_errors(
            cron=self.cron,
            time_zone=self.time_zone,
            tables=self.tables,
            store=self.store,
            keeps=(self.keep_last, self.keep_daily, self.keep_weekly, self.keep_monthly),
        )
