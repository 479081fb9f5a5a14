"""What the pipeline keeps about its own work: batches, their accounts, and every record that was refused."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

OUTCOMES = ("inserted", "updated", "unchanged", "duplicates", "rejected", "rolled_back")
TABLE_NAME_LENGTH = 100


class Batch(models.Model):
    """One unit of work: a request to the endpoint, a load of files, or a replay of rejects."""

    class Origin(models.TextChoices):
        """Where the records came from."""

        API = "api", _("API")
        LOAD = "load", _("load")
        REPLAY = "replay", _("replay")

    class Status(models.TextChoices):
        """How it ended; ``running`` until then."""

        RUNNING = "running", _("running")
        ACCEPTED = "accepted", _("accepted")
        PARTIAL = "partial", _("partial")
        REJECTED = "rejected", _("rejected")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    source = models.TextField(blank=True, help_text="The folder, archive or address that a load read.")
    options = models.JSONField(default=dict, blank=True)
    caused_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="caused")
    error = models.TextField(blank=True)
    app_version = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        indexes: ClassVar = [
            models.Index(fields=["-started_at"], name="ingest_batch_newest"),
            models.Index(fields=["id"], condition=Q(status="running"), name="ingest_batch_running"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} {self.id}"


class Account(models.Model):
    """What became of the records of one table in one batch; the database checks that none is missing."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="accounts")
    table = models.CharField(max_length=TABLE_NAME_LENGTH)
    status = models.CharField(max_length=10, choices=Batch.Status.choices)
    file_name = models.TextField(blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.BigIntegerField(null=True, blank=True)
    columns = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        help_text="The header of CSV, without which its lines say nothing.",
    )
    read = models.BigIntegerField(default=0)
    inserted = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    rolled_back = models.BigIntegerField(default=0)
    repaired = models.JSONField(default=dict, blank=True, help_text="Values that normalising changed, by rule.")
    signs = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What the file as a whole showed, or the options said."
    )
    skipped = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Lines that are no records, by kind; they are not read."
    )
    contract_version = models.CharField(max_length=12)
    table_fingerprint = models.CharField(
        max_length=60, blank=True, help_text="Of the table after a load in which nothing was rejected."
    )
    seconds = models.FloatField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "table"], name="ingest_account_key"),
            models.CheckConstraint(
                name="ingest_account_balanced",
                condition=Q(
                    read=F("inserted")
                    + F("updated")
                    + F("unchanged")
                    + F("duplicates")
                    + F("rejected")
                    + F("rolled_back")
                ),
            ),
            models.CheckConstraint(
                name="ingest_account_counts", condition=Q(**{f"{outcome}__gte": 0 for outcome in OUTCOMES})
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} of {self.batch_id}"


def _hash(field: str, function: str, seed: int) -> Any:
    return models.Func(F(field), Value(seed), function=function, output_field=models.BigIntegerField())


class RejectedRecord(models.Model):
    """One refused record, exactly as it came, with every reason. The raw bytes never change."""

    class Status(models.TextChoices):
        """``superseded``: a good record with the same key came in later by itself, or came later in the same batch."""

        OPEN = "open", _("open")
        REPLAYED = "replayed", _("replayed")
        SUPERSEDED = "superseded", _("superseded")
        DISMISSED = "dismissed", _("dismissed")

    class Stage(models.TextChoices):
        """The step of the way that refused it; ``write``: PostgreSQL itself, or with its group."""

        PARSE = "parse", _("parse")
        CHECK = "check", _("check")
        DUPLICATES = "duplicates", _("duplicates")
        REFERENCES = "references", _("references")
        STORED = "stored", _("existing rows")
        WRITE = "write", _("write")

    table = models.CharField(max_length=TABLE_NAME_LENGTH)
    raw = models.BinaryField()
    raw_sha256 = models.GeneratedField(
        expression=models.Func(F("raw"), function="sha256"), output_field=models.BinaryField(), db_persist=True
    )
    reading = models.CharField(
        max_length=16,
        blank=True,
        db_default="",
        help_text="By which header and signs its bytes were read, where not by the table's own columns in their order.",
    )
    record = models.JSONField(null=True, help_text="The fields as they came; NULL where they could not be told apart.")
    natural_key = models.TextField(blank=True)
    reasons = models.JSONField()
    codes = ArrayField(models.TextField())
    fields = ArrayField(models.TextField())
    fingerprint = models.GeneratedField(
        expression=_hash("table", "hashtextextended", 0)
        .bitxor(_hash("codes", "hash_array_extended", 1))
        .bitxor(_hash("fields", "hash_array_extended", 2)),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )  # the same for records of a table that were refused for the same codes at the same fields
    stage = models.CharField(max_length=10, choices=Stage.choices)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="rejects")
    file_name = models.TextField(blank=True)
    position = models.BigIntegerField(help_text="Index in the request (from 0), or record of the file (from 1).")
    line = models.BigIntegerField(null=True)
    origin = models.GeneratedField(
        expression=Case(When(file_name="", then=Value("api")), default=Value("load")),
        output_field=models.CharField(max_length=10, choices=Batch.Origin.choices),
        db_persist=True,
    )
    ref = models.TextField(blank=True, help_text="The sender's own name for the record.")
    group = models.TextField(blank=True, help_text="Records of one batch that stand or fall together.")
    waits_for = ArrayField(models.TextField(), default=list, help_text="Missing parents, as table/key.")
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children", db_index=False
    )
    contract_version = models.CharField(max_length=12)
    app_version = models.CharField(max_length=20)
    times_seen = models.BigIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # Set in the transaction that makes the batch, so PostgreSQL need not look each of them up once more.
    last_batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    correction = models.JSONField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, db_index=False
    )
    closed_why = models.TextField(blank=True)

    class Meta:
        verbose_name = "rejected record"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table", "raw_sha256", "reading"], name="ingest_reject_key"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "table", "id"], name="ingest_reject_open"),
            models.Index(fields=["table", "natural_key"], name="ingest_reject_natural_key"),
            # Most rejects have neither, and are stored the sooner for not being in an index of them.
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="ingest_reject_parent"),
            models.Index(fields=["closed_by"], condition=Q(closed_by__isnull=False), name="ingest_reject_closed_by"),
            HashIndex(fields=["ref"], condition=~Q(ref=""), name="ingest_reject_ref"),
            # Empty most of the time, or for the tables asked for, which is then known at once.
            models.Index(
                fields=["table", "id"], condition=Q(status="open") & ~Q(waits_for=[]), name="ingest_reject_orphans"
            ),
            # Without a list of pending entries, which every look-up would read through.
            GinIndex(
                fields=["waits_for"], condition=~Q(waits_for=[]), name="ingest_reject_waits_for", fastupdate=False
            ),
            # The reject desk. Of 50,000 rejects, stored in 1.5 s, the first costs 0.1 s and the second 0.6 s; without
            # its list of pending entries, which costs a search up to 0.1 s, that would be 1.7 s.
            models.Index(fields=["fingerprint", "status", "origin", "last_seen_at", "id"], name="ingest_reject_group"),
            models.Index(fields=["table", "first_seen_at"], condition=Q(status="open"), name="ingest_reject_age"),
            GinIndex(fields=["record"], opclasses=["jsonb_path_ops"], name="ingest_reject_values"),
        ]
        permissions: ClassVar = [
            ("repair_rejectedrecord", "Can repair and replay rejected records"),
            ("dismiss_rejectedrecord", "Can dismiss rejected records"),
            ("export_rejectedrecord", "Can export rejected records"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.natural_key or self.position}"[:100]


class Correction(models.Model):
    """What a person made of a reject: kept for each replay, with who and when."""

    reject = models.ForeignKey(RejectedRecord, on_delete=models.CASCADE, related_name="corrections")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+", help_text="Its replay.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    record = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.reject_id} at {self.made_at}"


class BulkJob(models.Model):
    """Something done to many rejects at once: what, who asked for it, and how far it is. Which ones: its chunks."""

    class Action(models.TextChoices):
        """What is done to each."""

        REPAIR = "repair", _("repair by a recipe")
        REPLAY = "replay", _("replay")
        DISMISS = "dismiss", _("dismiss")

    class Status(models.TextChoices):
        """Where it stands. A dry run that is done waits to be carried out."""

        DRAFT = "draft", _("not started")
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")

    action = models.CharField(max_length=10, choices=Action.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    dry_run = models.BooleanField(default=True, help_text="It only finds out what would become of each.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    asked = models.JSONField(default=dict, help_text="What the list was narrowed to.")
    numbers = ArrayField(models.BigIntegerField(), null=True, help_text="Those selected; NULL: all in the list.")
    table = models.CharField(max_length=TABLE_NAME_LENGTH, blank=True, help_text="The recipe's; else any.")
    recipe = models.JSONField(null=True)
    why = models.TextField(blank=True, help_text="The note of a dismissal.")
    total = models.BigIntegerField(null=True, help_text="NULL until its rejects are gathered.")
    done = models.BigIntegerField(default=0)
    passed = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    left = models.JSONField(default=dict, help_text="Counts of those left alone, by why.")
    reasons = models.JSONField(default=list, help_text="Why some failed: counts and samples by field and code.")
    dry = models.JSONField(null=True, help_text="The same figures of its dry run.")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()  # those of the desk say who does what
        indexes: ClassVar = [models.Index(fields=["-created_at"], name="ingest_bulkjob_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(name="ingest_bulkjob_within", condition=Q(done__lte=F("total")) | Q(done=0))
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} no. {self.pk}"


class BulkChunk(models.Model):
    """Some of a job's rejects, dealt with in one transaction; records of one group are in one chunk."""

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="chunks")
    place = models.PositiveIntegerField()
    numbers = ArrayField(models.BigIntegerField())
    done = models.BooleanField(default=False)
    batches = ArrayField(models.UUIDField(), default=list)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "place"], name="ingest_bulkchunk_key")]

    def __str__(self) -> str:
        return f"{self.place} of {self.job_id}"


class Chore(models.Model):
    """Something that is done by itself again and again, and when that was last begun: one row for all processes."""

    name = models.CharField(max_length=40, primary_key=True)
    begun_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class TotalPart(models.Model):
    """A part of a total that only ever grows, such as a table's records inserted so far.

    See ``ingest.accounts.totals``.
    """

    series = models.CharField(max_length=20)
    subject = models.CharField(max_length=TABLE_NAME_LENGTH)
    detail = models.CharField(max_length=TABLE_NAME_LENGTH)
    amount = models.BigIntegerField()
    microseconds = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ingest_tally"  # its name of before
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.series} {self.subject} {self.detail}: {self.amount}"
