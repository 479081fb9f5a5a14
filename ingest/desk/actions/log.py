"""Whatever a person does at the desk stands in Django's log."""

from collections.abc import Iterable

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from ingest.models import RejectedRecord


def note(user: User, rejects: Iterable[RejectedRecord], message: str) -> None:
    """Write one entry for each reject."""
    noted = list(rejects)
    if noted:
        LogEntry.objects.log_actions(user.pk, noted, CHANGE, message)


def note_many(user: User, which: str, message: str) -> None:
    """Write one entry for more rejects than deserve one each."""
    kind = ContentType.objects.get_for_model(RejectedRecord)
    LogEntry.objects.create(
        user=user, content_type=kind, object_repr=which[:200], action_flag=CHANGE, change_message=message
    )
