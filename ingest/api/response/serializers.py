"""How batches and rejects are written for those who read them."""

from typing import Any

from rest_framework import serializers

from ingest.api.docs.schemas import KeptReasonSerializer
from ingest.models import OUTCOMES, Account, Batch, RejectedRecord


class AccountSerializer(serializers.ModelSerializer[Account]):
    """What became of one table's records."""

    class Meta:
        model = Account
        fields = ("status", "read", *OUTCOMES, "repaired", "skipped", "file_name", "file_sha256", "seconds")


class BatchAccountSerializer(serializers.ModelSerializer[Batch]):
    """A batch and its account."""

    user = serializers.CharField(
        source="user.username", default=None, allow_null=True, help_text="Who sent or started it."
    )
    caused_by = serializers.UUIDField(
        source="shown_cause",
        allow_null=True,
        help_text="The batch after which it was made; null: none that you may view.",
    )
    counts = serializers.SerializerMethodField()
    tables = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = (
            "id",
            "origin",
            "status",
            "user",
            "started_at",
            "finished_at",
            "options",
            "caused_by",
            "counts",
            "tables",
        )

    def get_counts(self, batch: Batch) -> dict[str, int]:
        """Sum the accounts of its tables."""
        return {name: sum(getattr(a, name) for a in batch.accounts.all()) for name in ("read", *OUTCOMES)}

    def get_tables(self, batch: Batch) -> dict[str, dict[str, Any]]:
        """Return the account a table."""
        return {account.table: AccountSerializer(account).data for account in batch.accounts.all()}


class RejectSerializer(serializers.ModelSerializer[RejectedRecord]):
    """A refused record: as it came, and why it was refused."""

    id = serializers.CharField(help_text="Its number.")
    raw = serializers.SerializerMethodField(help_text=r"The exact text; bytes that are not UTF-8 as \xNN.")
    raw_sha256 = serializers.SerializerMethodField(help_text="Of the exact bytes.")
    parent = serializers.CharField(  # type: ignore[assignment]  # DRF's own attribute of this name is not used here
        source="shown_parent",
        allow_null=True,
        help_text="The reject that it waits for; null: none that you may view.",
    )
    reasons = KeptReasonSerializer(many=True)
    record = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        allow_null=True,
        help_text="The fields as they came; null where there were none.",
    )
    correction = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        allow_null=True,
        help_text="What a replay made of the fields; null without one.",
    )

    class Meta:
        model = RejectedRecord
        fields = (
            "id",
            "table",
            "status",
            "natural_key",
            "reasons",
            "record",
            "raw",
            "raw_sha256",
            "batch",
            "last_batch",
            "ref",
            "group",
            "file_name",
            "position",
            "line",
            "waits_for",
            "parent",
            "times_seen",
            "first_seen_at",
            "last_seen_at",
            "correction",
            "attempts",
            "closed_at",
            "closed_why",
        )

    def get_raw(self, reject: RejectedRecord) -> str:
        """Write the bytes as text."""
        return bytes(reject.raw).decode("utf-8", "backslashreplace")

    def get_raw_sha256(self, reject: RejectedRecord) -> str:
        """Write the hash in hexadecimal digits."""
        return bytes(reject.raw_sha256).hex()
