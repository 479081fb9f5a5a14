"""What earlier loads leave to this one: files that need no second look."""

import hashlib

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from core.postgres.fingerprint import table_fingerprint
from ingest.models import Account
from ingest.readers.places.stored import StoredFile
from ingest.rules.sources import Source


def last_agreement(source: Source) -> Account | None:
    """Return the account of the last load after which the table held all of a file, under the rules of today.

    While neither the bytes of that file nor the content of the table has changed since, neither has any verdict.
    """
    return agreements(source).first()


def agreements(source: Source) -> QuerySet[Account]:
    """Return the accounts of all such loads, the last first, each with its batch."""
    rows = Account.objects.filter(table=source.table, contract_version=source.contract.version)
    return rows.exclude(table_fingerprint="").select_related("batch").order_by("-batch__started_at")


def fingerprint_of(cursor: CursorWrapper, source: Source) -> str:
    """Hash all that the Source's table holds, but for identities, on the server."""
    loaded = source.contract.names
    identities = [field.column for field in source.model._meta.concrete_fields if field.column not in loaded]
    fingerprint = table_fingerprint(cursor, source.contract.db_table, exclude=[str(name) for name in identities])
    return f"{fingerprint.rows}:{fingerprint.digest}"


def sha256_of(stored: StoredFile) -> str:
    """Hash a whole file: what it holds unpacked, so that packing it changes nothing."""
    digest = hashlib.sha256()
    for block in stored.blocks():
        digest.update(block)
    return digest.hexdigest()
