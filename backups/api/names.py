"""Names of tables, as the address or the body of a request has them."""

from http import HTTPStatus

from backups.tables import table_named
from core.errors import SourceUnreadable
from core.web.problems import Problem


def known_table(name: str) -> str:
    """Return the table that ``name`` means; Problem 404 where none or several are meant."""
    try:
        return table_named(name)
    except SourceUnreadable as error:
        detail = str(error)[:500].encode("utf-8", "replace").decode()
        raise Problem(HTTPStatus.NOT_FOUND, detail, code="unknown_table") from error
