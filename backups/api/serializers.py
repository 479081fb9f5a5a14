"""The documents of the API: what is asked for, and how backups and restores are written for those who read them.

Files are shown by name, their stores too: where these are is no client's concern, and never taken from one.
"""

from typing import Any

from rest_framework import serializers

from backups.api.names import known_store, known_table
from backups.catalogue.told import spoken_of, told_fault, told_report
from backups.files.named_stores import DEFAULT, NAME_RULE, is_name, store_of
from backups.models import NAME_LENGTH, Backup, Restore, Status
from backups.tables import all_tables
from core.web.lists import Moment
from core.web.serializer_fields import Flag, OneOf, PlainText, StrictSerializer

ALL = "all"
TABLE_HELP = "As in the database, without its app, or app.Model."
RESTORE_MODES = Restore.Mode.choices


class TableNames(serializers.ListField):
    """Names of tables, or the word ``all``."""

    child = PlainText(max_length=NAME_LENGTH, trim_whitespace=False)  # one of blanks is a name, and there is none such

    def to_internal_value(self, data: Any) -> Any:
        """Return the names, of ``all`` those that --all of the command means."""
        return list(all_tables()) if data == ALL else super().to_internal_value(data)


class KnownTable(serializers.RegexField):
    """The name of a table, as everywhere: as in the database, without its app, or by its model."""

    def to_internal_value(self, data: Any) -> str:
        """Return the table's name in the database; Problem 404 where there is none such."""
        return known_table(super().to_internal_value(data))


class StoreName(PlainText):
    """The name of a store; never a place."""

    def to_internal_value(self, data: Any) -> str:
        """Return the name; Problem 404 where the settings have no such store."""
        name: str = super().to_internal_value(data)
        if not is_name(name):
            raise serializers.ValidationError(f"This is no name of a store: {NAME_RULE}.", code="invalid")
        return known_store(name)


class BackupRequest(StrictSerializer):
    """Which tables are to be backed up, and to which store of the settings."""

    tables = TableNames(allow_empty=False, max_length=1000)
    store = StoreName(default=DEFAULT, trim_whitespace=False)


class VerifyRequest(StrictSerializer):
    """How thoroughly a backup is to be verified."""

    drill = Flag(default=False)


class RestoreRequest(StrictSerializer):
    """How a backup is to be restored."""

    mode = OneOf(Restore.Mode.values, required=False)
    with_children = Flag(default=False)
    dry_run = Flag(default=False)


class BackupFilters(serializers.Serializer[Any]):
    """What a list of backups can be narrowed to."""

    table = KnownTable("^[ -~]+$", max_length=NAME_LENGTH, required=False, help_text=TABLE_HELP)
    run = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(Status.choices, required=False)
    origin = serializers.ChoiceField(Backup.Origin.choices, required=False)
    since = Moment(source="started_at__gte", required=False)
    until = Moment(source="started_at__lt", required=False)


class RestoreFilters(serializers.Serializer[Any]):
    """What a list of restores can be narrowed to."""

    table = KnownTable("^[ -~]+$", max_length=NAME_LENGTH, required=False, help_text=TABLE_HELP)
    backup = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(Status.choices, required=False)
    dry_run = serializers.ChoiceField(["true", "false"], required=False)
    since = Moment(source="started_at__gte", required=False)
    until = Moment(source="started_at__lt", required=False)

    def validate_dry_run(self, word: str) -> bool:
        """Return what the word means."""
        return word == "true"


class BackupSerializer(serializers.ModelSerializer[Backup]):
    """A backup: one verified Parquet file of one table."""

    store = serializers.SerializerMethodField(help_text="Where it lies; null: in no store of the settings, or not yet.")
    file = serializers.SerializerMethodField(help_text="Its name in the store; empty before it is written.")
    user = serializers.CharField(source="user.username", default=None, allow_null=True, help_text="Who asked for it.")
    schedule = serializers.CharField(
        source="schedule.name", default=None, allow_null=True, help_text="Whose run it was."
    )
    rows = serializers.IntegerField(
        source="told_rows", allow_null=True, help_text="null before it is done, and where you may not view the table."
    )
    bytes = serializers.IntegerField(source="told_bytes", allow_null=True, help_text="Likewise.")
    error = serializers.SerializerMethodField(
        help_text="Why it failed, or what its last verification found, if you may view the table."
    )

    class Meta:
        model = Backup
        fields = (
            "id", "run", "table", "status", "origin", "schedule", "user", "store", "file", "rows", "bytes", "sha256",
            "fingerprint", "started_at", "snapshot_at", "verified_at", "drilled_at", "error",
        )  # fmt: skip

    def get_store(self, row: Backup) -> str | None:
        """Return the name of the store."""
        return store_of(row.path)[0]

    def get_file(self, row: Backup) -> str:
        """Return the file's name there."""
        return store_of(row.path)[1] if row.status in (Status.DONE, Status.PRUNED) else ""

    def get_error(self, row: Backup) -> str:
        """Return the fault without the folder."""
        return told_fault(self.context["request"].user, row.error, [row.table], row.path)


class BackupRunSerializer(serializers.Serializer[Any]):
    """The backups of one run: one snapshot."""

    run = serializers.UUIDField()
    results = BackupSerializer(many=True)


class OrphansSerializer(serializers.Serializer[Any]):
    """Rows that would be left without their parent."""

    table = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    parent = serializers.CharField()  # type: ignore[assignment]  # DRF's own attribute of this name is not used here
    rows = serializers.IntegerField(min_value=1, allow_null=True, help_text="null: you may not view the table.")
    examples = serializers.ListField(child=serializers.CharField())


class TableReportSerializer(serializers.Serializer[Any]):
    """What became, or would become, of one table."""

    table = serializers.CharField()
    file = serializers.SerializerMethodField(help_text="The backup's file.")
    mode = serializers.ChoiceField(RESTORE_MODES)
    rows = serializers.IntegerField(
        min_value=0, allow_null=True, help_text="After the restore; null: you may not view the table."
    )
    added = serializers.IntegerField(allow_null=True, help_text="null: a replace does not compare, or likewise.")
    changed = serializers.IntegerField(allow_null=True)
    removed = serializers.IntegerField(allow_null=True)
    examples = serializers.ListField(child=serializers.CharField(), help_text="Some rows behind +, ~ or -.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="How file and table differ.")
    safety = serializers.SerializerMethodField(help_text="The file of what was there before; null without one.")

    def get_file(self, table: dict[str, Any]) -> str:
        """Return the file's name."""
        return store_of(table["path"])[1]

    def get_safety(self, table: dict[str, Any]) -> str | None:
        """Return the file's name."""
        return store_of(table["safety"])[1] if table["safety"] else None


class RestoreReportSerializer(serializers.Serializer[Any]):
    """What a restore did, or, of a dry run, what it would do."""

    seconds = serializers.FloatField()
    tables = TableReportSerializer(many=True)
    orphans = OrphansSerializer(many=True, help_text="For these a restore would be refused.")


class RestoreSerializer(serializers.ModelSerializer[Restore]):
    """A restore of a table, or a dry run of one."""

    user = serializers.CharField(source="user.username", default=None, allow_null=True, help_text="Who asked for it.")
    report = RestoreReportSerializer(allow_null=True, help_text="null before it is done, and where it failed.")
    error = serializers.SerializerMethodField(
        help_text="Why it failed, if you may view the table and those that refer to it; nothing was changed then."
    )

    class Meta:
        model = Restore
        fields = (
            "id", "table", "run", "backup", "safety", "mode", "with_children", "dry_run", "status", "report", "error",
            "user", "started_at", "finished_at",
        )  # fmt: skip

    def get_error(self, row: Restore) -> str:
        """Return the fault without the folder."""
        return told_fault(self.context["request"].user, row.error, spoken_of(row), row.path)

    def to_representation(self, instance: Restore) -> Any:
        """Write it with the figures of tables that the user may view."""
        shown = super().to_representation(instance)
        report = shown["report"]
        return {**shown, "report": report and told_report(self.context["request"].user, report)}
