"""``Idempotency-Key``: the same request again gets the same answer, and is not carried out again.

A key is claimed by an advisory lock of a transaction, so a crash leaves no claim behind. Work of one transaction
(``Claim.take`` and ``Claim.keep``) commits with its answer. Work that outlasts every transaction (``once``) is entered
in a table together with its key, and then carried out; where its process dies, the same request finds what was entered.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from access.authentication import sender
from access.models import IdempotencyKey
from core.postgres.locks.advisory_locks import try_claim
from core.postgres.locks.held_locks import held_locks
from core.web.problems import Problem
from core.web.request_bodies import Body

KEPT = timedelta(hours=24)
MAX_CHARACTERS = 255
_SWEPT = 10  # expired keys that go with each new one
# Deletes some of the oldest keys whose time is over, but none that another request deletes at this moment.
_DELETE_EXPIRED = """
delete from access_idempotencykey where id in (
    select id from access_idempotencykey where created_at < %s order by created_at limit %s for update skip locked)
"""


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent: status, headers, JSON."""

    status: int
    headers: dict[str, str]
    content: str

    def response(self) -> HttpResponse:
        """Return what Django sends."""
        headers = {"Content-Type": "application/json", **self.headers}
        return HttpResponse(self.content, status=self.status, headers=headers)


class Claim:
    """One key of one token, for one request."""

    def __init__(self, *, owner: str, key: str, request: bytes) -> None:
        """``request`` is all that makes two requests the same. Problem 400 for a key that is none."""
        if not 0 < len(key) <= MAX_CHARACTERS or not key.isascii() or not key.isprintable() or "," in key:
            detail = (
                f"An Idempotency-Key has 1 to {MAX_CHARACTERS} printable ASCII characters and no comma, and a request "
                "has one: two header lines come as one with a comma."
            )
            raise Problem(HTTPStatus.BAD_REQUEST, detail, code="invalid")
        self.lock = f"idempotency/{owner}/{key}"
        self._owner, self._key = owner, key
        self._fingerprint = hashlib.sha256(request).hexdigest()

    def take(self, cursor: CursorWrapper) -> Answer | None:
        """Take the key until the transaction ends; return the answer that it had before.

        Problem: 409 while the same key is in flight, 422 where it was used for another request.
        """
        if not try_claim(cursor, self.lock):
            raise in_flight()
        kept = self.find()
        return _again(kept) if kept else None

    def find(self) -> IdempotencyKey | None:
        """Return what is kept for the key, which must have been claimed. Problem: 422 as above."""
        kept = self._kept().filter(created_at__gt=timezone.now() - KEPT).first()
        if kept and kept.fingerprint != self._fingerprint:
            detail = "This Idempotency-Key was used for another request: use a new one."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, code="key_reused")
        return kept

    def begin(self, work: str) -> None:
        """Keep that ``work`` was entered for it, in the transaction that enters it."""
        self._keep(work=work, status=0, headers={}, answer="")

    def keep(self, cursor: CursorWrapper, answer: Answer) -> None:
        """Keep the answer, and let some go whose time is over."""
        self._keep(status=answer.status, headers=answer.headers, answer=answer.content)
        # After that, as others may wait for it: two could wait for each other.
        cursor.execute(_DELETE_EXPIRED, [timezone.now() - KEPT, _SWEPT])

    def _keep(self, **kept: object) -> None:
        self._kept().delete()
        IdempotencyKey.objects.create(owner=self._owner, key=self._key, fingerprint=self._fingerprint, **kept)

    def _kept(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.filter(owner=self._owner, key=self._key)


def claim_of(request: Request, body: Body | None) -> Claim | None:
    """Return the claim that a request makes, None without the header. Problem 400 for a key that is none."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    parts = (request.path, request.META.get("QUERY_STRING", ""), body.media_type if body else "")
    sent = "\n".join(parts).encode() + b"\n" + (body.data if body else b"")
    return Claim(owner=sender(request)[1].pk, key=key, request=sent)


def once(claim: Claim | None, *, enter: Callable[[], str], carry_out: Callable[[str], Answer | None]) -> Answer:
    """Do work that has transactions of its own, and keep its answer, unless it is a fault of ours.

    ``enter`` enters the work and returns its number, in one transaction with the key. ``carry_out`` does it, or what a
    process that died has left of it, and returns the answer; None where that has failed and is to be entered anew.
    Problem: 409 while the same key is in flight, 422 where it was used for another request.
    """
    if claim is None:
        return _sure(carry_out(enter()))
    with held_locks(connection, what="request with an Idempotency-Key") as locks:
        if not locks.claim(claim.lock):
            raise in_flight()
        before = claim.find()
        if before and not before.work:
            return _again(before)
        answer = carry_out(before.work) if before else None
        if answer is None:
            with transaction.atomic():
                number = enter()
                claim.begin(number)
            answer = _sure(carry_out(number))
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            with transaction.atomic(), connection.cursor() as cursor:
                claim.keep(cursor, answer)
        return answer


def in_flight() -> Problem:
    """Say that the same key is at work."""
    detail = "A request with this Idempotency-Key is at work: wait for its answer, or ask again."
    return Problem(HTTPStatus.CONFLICT, detail, code="in_flight", retry_after=1)


def _again(kept: IdempotencyKey) -> Answer:
    return Answer(kept.status, {**kept.headers, "Idempotency-Replayed": "true"}, kept.answer)


def _sure(answer: Answer | None) -> Answer:
    assert answer is not None  # noqa: S101 - what was entered just now has not failed before
    return answer
