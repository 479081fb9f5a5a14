"""Shapes of the API's answers, for the published schema alone; ``response.answer`` writes them."""

from typing import Any

from rest_framework import serializers

from ingest.models import OUTCOMES, Batch
from ingest.posting.unit import MODES

FATES = ("inserted", "updated", "unchanged", "duplicate", "rejected", "rolled_back")

CODES = (
    "As Django names it, for a value (required, null, blank, invalid, invalid_choice, max_length, min_value, ...), "
    "a key (unique) and a parent (does_not_exist); or unknown_field, ragged_row, encoding, check (a rule between "
    "columns), parent_rejected and group_rejected (with another record of the batch), superseded_in_batch (no fault: "
    "an update, and a later record of the batch with this key counts instead; the reject is closed), database."
)


class CountsSerializer(serializers.Serializer[Any]):
    """An account: read is the sum of all others."""

    read = serializers.IntegerField(min_value=0)

    def get_fields(self) -> Any:
        """Add a count for each outcome."""
        return super().get_fields() | {name: serializers.IntegerField(min_value=0) for name in OUTCOMES}


class TableCountsSerializer(CountsSerializer):
    """The account of one table."""

    repaired = serializers.DictField(
        child=serializers.IntegerField(min_value=1), help_text="Values that reading or normalising changed, by rule."
    )
    skipped = serializers.DictField(
        child=serializers.IntegerField(min_value=1),
        help_text="Lines of CSV that are no records and are not counted above, by kind: header_line (the header once "
        "more), blank_line (nothing but commas and white space).",
    )


class KeptReasonSerializer(serializers.Serializer[Any]):
    """One way in which a kept record is wrong."""

    field = serializers.CharField(allow_null=True, help_text="null: the record as a whole.")
    code = serializers.CharField(help_text=CODES)
    message = serializers.CharField()
    value = serializers.CharField(allow_null=True, help_text="As it came.")
    constraint = serializers.CharField(required=False, help_text="The rule's name, for check and database.")


class ReasonSerializer(KeptReasonSerializer):
    """One way in which a record of a request is wrong."""

    pointer = serializers.CharField(help_text="Where in the request: a JSON pointer.")
    value = serializers.CharField(allow_null=True, help_text="As it came, cut after 200 characters.")


class ResultSerializer(serializers.Serializer[Any]):
    """What became of one record."""

    index = serializers.IntegerField(
        min_value=0, help_text="Of the record, from 0; lines that are no records have none."
    )
    ref = serializers.CharField(required=False)
    group = serializers.CharField(required=False)
    table = serializers.CharField()
    outcome = serializers.ChoiceField(FATES)
    reject_id = serializers.CharField(required=False, allow_null=True, help_text="null in a dry run.")
    reasons = ReasonSerializer(many=True, required=False)


class AnswerSerializer(serializers.Serializer[Any]):
    """What became of a batch."""

    id = serializers.UUIDField(allow_null=True, help_text="null in a dry run.")
    status = serializers.ChoiceField([Batch.Status.ACCEPTED, Batch.Status.PARTIAL, Batch.Status.REJECTED])
    mode = serializers.ChoiceField(MODES)
    dry_run = serializers.BooleanField()
    counts = CountsSerializer()
    tables = serializers.DictField(child=TableCountsSerializer())
    results = ResultSerializer(many=True)


class TableEntrySerializer(serializers.Serializer[Any]):
    """A table."""

    table = serializers.CharField()
    version = serializers.CharField(help_text="Of its rules.")
    natural_key = serializers.ListField(child=serializers.CharField())
    references = serializers.DictField(child=serializers.CharField(), help_text="By column, the table it refers to.")


class TableSummarySerializer(serializers.Serializer[Any]):
    """All tables."""

    results = TableEntrySerializer(many=True)


class TableSerializer(TableEntrySerializer):
    """A table with its rules."""

    rows = serializers.IntegerField(min_value=0, allow_null=True, help_text="null: you may not view the table.")
    rows_exact = serializers.BooleanField(
        allow_null=True, help_text="false: the planner's estimate; null: you may not view the table."
    )
    rules = serializers.DictField(child=serializers.CharField(), help_text="By column, in words.")
    checks = serializers.DictField(child=serializers.CharField(), help_text="Between columns, in words.")
    schema = serializers.DictField(help_text="JSON Schema of a record.")
    example = serializers.DictField(help_text="A batch that is accepted.")
