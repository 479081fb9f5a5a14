"""What `dumpdata` writes, to the microsecond: Django's own JSON ends at the millisecond, and so changes moments."""

import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


class ExactEncoder(DjangoJSONEncoder):
    """Django's, but for moments, of which it keeps every digit."""

    def default(self, o: Any) -> Any:
        """Return a moment as ISO text; leave the rest to Django."""
        return o.isoformat() if isinstance(o, datetime.datetime | datetime.time) else super().default(o)
