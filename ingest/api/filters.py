"""What the lists of the API can be narrowed to; see ``core.web.lists``."""

from typing import Any

from rest_framework import serializers

from core.web.lists import Moment
from ingest.models import Batch, RejectedRecord
from ingest.rules.sources import sources

_TABLES = [source.table for source in sources()]


class BatchFilters(serializers.Serializer[Any]):
    """What a list of batches can be narrowed to."""

    origin = serializers.ChoiceField(Batch.Origin.choices, required=False)
    status = serializers.ChoiceField(Batch.Status.choices, required=False)
    table = serializers.ChoiceField(_TABLES, source="accounts__table", required=False)
    since = Moment(source="started_at__gte", required=False)
    until = Moment(source="started_at__lt", required=False)


class RejectFilters(serializers.Serializer[Any]):
    """What a list of rejects can be narrowed to."""

    table = serializers.ChoiceField(_TABLES, required=False)
    code = serializers.RegexField("^[a-z_]+$", source="codes__contains", required=False)
    status = serializers.ChoiceField(RejectedRecord.Status.choices, required=False)
    batch = serializers.UUIDField(source="last_batch", required=False)
    since = Moment(source="last_seen_at__gte", required=False)
    until = Moment(source="last_seen_at__lt", required=False)

    def validate_code(self, code: str) -> list[str]:
        """Look for one of a reject's codes."""
        return [code]
