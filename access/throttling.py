"""Bounds a minute: requests and records of a token, and wrong tokens of an address.

One row a key, changed by one statement, so the count is exact across processes and machines; no cache does that.
"""

import time
from typing import Any

from django.conf import settings
from django.db import connection
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

SECONDS = 60
_KEPT_MINUTES = 60
_ADDRESS_CHARACTERS = 100  # behind proxies it comes from a header, of any length

# A refused amount is not counted: the bound is on what passes. Without `off`, each request would wait for the disk.
# A spender that waited while its minute ended finds the next one's count, and must not set it back.
_SPEND = """
with off as (select set_config('synchronous_commit', 'off', true)),
now as (select floor(extract(epoch from clock_timestamp()) / 60)::bigint as minute from off)
insert into access_counter as c (key, minute, used)
select %(key)s, minute, %(amount)s from now where %(amount)s <= %(limit)s
on conflict (key) do update set
    minute = case when c.minute = excluded.minute + 1 then c.minute else excluded.minute end,
    used = case when c.minute between excluded.minute and excluded.minute + 1 then c.used else 0 end + excluded.used
where case when c.minute between excluded.minute and excluded.minute + 1 then c.used else 0 end + excluded.used
    <= %(limit)s
returning used
"""


def spend(key: str, amount: int, *, limit: int) -> None:
    """Use up ``amount`` of ``limit`` a minute; Throttled, with nothing used up, where that is more than is left.

    Must not run in a transaction that may be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"key": key, "amount": amount, "limit": limit})
        if cursor.fetchone() is None:
            raise Throttled(wait=SECONDS - int(time.time()) % SECONDS)


def spend_records(request: Request, amount: int) -> None:
    """Use up records of the request's token; Throttled where it has sent too many."""
    assert request.auth is not None  # noqa: S101 - only authenticated requests come so far
    spend(f"records:{request.auth.pk}", amount, limit=settings.API_RECORDS_PER_MINUTE)


def count_bad_token(request: Request) -> None:
    """Count a wrong token against the address that it came from; Throttled where there were too many."""
    address = (BaseThrottle().get_ident(request) or "")[:_ADDRESS_CHARACTERS].replace("\x00", "")
    with connection.cursor() as cursor:  # addresses have no end: forget those of the past
        cursor.execute(
            "delete from access_counter where minute < floor(extract(epoch from clock_timestamp()) / 60) - %s",
            [_KEPT_MINUTES],
        )
    spend(f"bad-token:{address}", 1, limit=settings.API_BAD_TOKENS_PER_MINUTE)


class RequestThrottle(BaseThrottle):
    """Bounds the requests of a token."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Use up one request; Throttled where the token made too many."""
        del view
        if request.auth is not None:
            spend(f"requests:{request.auth.pk}", 1, limit=settings.API_REQUESTS_PER_MINUTE)
        return True
