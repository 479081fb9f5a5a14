"""The forms in which records come: JSON (see ``core.web.request_bodies``), or as lines for one table."""

from core.web.request_bodies import BodyParser

NDJSON, CSV = "application/x-ndjson", "text/csv"


class NdjsonParser(BodyParser):
    """One record a line, for the table of ``?table=``."""

    media_type = NDJSON


class CsvParser(BodyParser):
    """A header and records, for the table of ``?table=``."""

    media_type = CSV
