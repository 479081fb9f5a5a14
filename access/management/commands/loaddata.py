"""``manage.py loaddata``: Django's, for whole dumps too, with words for what goes wrong."""

from typing import Any
from xml.sax import SAXException

from django.core.management.base import CommandError
from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializationError
from django.db import DataError, IntegrityError

from access.renumbering import NAMES, take_number

EXIT_REFUSED = 1
UNREADABLE = (DeserializationError, SAXException, ValueError, OSError, EOFError)


class Command(loaddata.Command):
    """Load what `dumpdata` wrote; all or nothing."""

    def handle(self, *fixture_labels: Any, **options: Any) -> None:
        """Load, or say in one line which file, which row, and why."""
        try:
            super().handle(*fixture_labels, **options)
        except BrokenPipeError:
            raise
        except (IntegrityError, DataError, *UNREADABLE) as error:
            why = str(error).strip() + (f" {error.__cause__}" if isinstance(error, DeserializationError) else "")
            raise CommandError(f"Nothing was loaded. {why}", returncode=EXIT_REFUSED) from error

    def save_obj(self, obj: Any) -> bool:
        """Let content types and permissions have the numbers by which the other rows of the dump know them."""
        model = type(obj.object)
        left_out = model in self.excluded_models or model._meta.app_config in self.excluded_apps
        if model in NAMES and not left_out:
            take_number(obj.object, self.using)
        return bool(super().save_obj(obj))
