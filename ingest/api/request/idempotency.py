"""``Idempotency-Key``: the same request again gets the same answer, and is not carried out again.

The key is claimed by an advisory lock of the transaction and kept by its commit, so a crash leaves no claim behind.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.utils import timezone

from core.postgres.locks.advisory_locks import try_claim
from core.web.problems import Problem
from ingest.models import Batch, IdempotencyKey

KEPT = timedelta(hours=24)
MAX_CHARACTERS = 255
_SWEPT = 10  # expired keys that go with each new one
# Deletes some of the oldest keys whose time is over, but none that another request deletes at this moment.
_DELETE_EXPIRED = """
delete from ingest_idempotencykey where id in (
    select id from ingest_idempotencykey where created_at < %s order by created_at limit %s for update skip locked)
"""


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent: status, headers, JSON."""

    status: int
    headers: dict[str, str]
    content: str


class Claim:
    """One key of one token, for one request."""

    def __init__(self, *, owner: str, key: str, request: bytes) -> None:
        """``request`` is all that makes two requests the same. Problem 400 for a key that is none."""
        if not 0 < len(key) <= MAX_CHARACTERS or not key.isascii() or not key.isprintable():
            detail = f"An Idempotency-Key has 1 to {MAX_CHARACTERS} printable ASCII characters."
            raise Problem(HTTPStatus.BAD_REQUEST, detail, code="invalid")
        self._owner, self._key = owner, key
        self._fingerprint = hashlib.sha256(request).hexdigest()

    def take(self, cursor: CursorWrapper) -> Answer | None:
        """Take the key until the transaction ends; return the answer that it had before.

        Problem: 409 while the same key is in flight, 422 where it was used for another request.
        """
        if not try_claim(cursor, f"idempotency/{self._owner}/{self._key}"):
            detail = "A request with this Idempotency-Key is at work: wait for its answer, or ask again."
            raise Problem(HTTPStatus.CONFLICT, detail, code="in_flight", retry_after=1)
        kept = self._kept().filter(created_at__gt=timezone.now() - KEPT).first()
        if kept is None:
            return None
        if kept.fingerprint != self._fingerprint:
            detail = "This Idempotency-Key was used for another request: use a new one."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, code="key_reused")
        return Answer(kept.status, {**kept.headers, "Idempotency-Replayed": "true"}, kept.answer)

    def keep(self, cursor: CursorWrapper, batch: Batch, answer: Answer) -> None:
        """Keep the answer, and let some go whose time is over."""
        self._kept().delete()  # before the sweep, which others may wait for: two could wait for each other
        cursor.execute(_DELETE_EXPIRED, [timezone.now() - KEPT, _SWEPT])
        IdempotencyKey.objects.create(
            owner=self._owner,
            key=self._key,
            fingerprint=self._fingerprint,
            batch=batch,
            status=answer.status,
            headers=answer.headers,
            answer=answer.content,
        )

    def _kept(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.filter(owner=self._owner, key=self._key)
