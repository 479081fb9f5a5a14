"""Names of tables and stores, as the address or the body of a request has them."""

from http import HTTPStatus

from backups.files.named_stores import store_names
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


def known_store(name: str) -> str:
    """Return the name; Problem 404 where the settings have no such store."""
    if name not in store_names():
        detail = f"The settings have no store {name}, but {', '.join(store_names())}."
        raise Problem(HTTPStatus.NOT_FOUND, detail, code="unknown_store")
    return name
