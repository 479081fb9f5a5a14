"""Bounds a minute: requests and records of a token, wrong tokens of an address; and attempts to log in.

One row a key, changed by one statement, so the count is exact across processes and machines; no cache does that.
"""

import re
import time
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from access.models import Counter, Token

SECONDS = 60
_KEPT_MINUTES = 60
_NETWORK_BITS = 64
_ADDRESS_CHARACTERS = 100  # behind proxies it comes from a header, of any length
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>[\d.]+):\d+")  # some proxies say the port too

# Uses up an amount of what a key may spend in so many minutes, and returns what is used up then; no row is a refusal.
# A refused amount is not counted: the bound is on what passes. Without `off`, each request would wait for the disk.
# A spender that waited while its minute ended finds the next one's count, and must not set it back.
_SPENT = """
off as (select set_config('synchronous_commit', 'off', true)),
now as (
    select floor(extract(epoch from clock_timestamp()) / 60 / %(minutes)s)::bigint * %(minutes)s as minute from off
),
spent as (
    insert into access_counter as c (key, minute, used)
    select {key}, minute, %(amount)s from {source} where %(amount)s <= %(limit)s
    on conflict (key) do update set
        minute = case when c.minute = excluded.minute + %(minutes)s then c.minute else excluded.minute end,
        used = case when c.minute in (excluded.minute, excluded.minute + %(minutes)s) then c.used else 0 end
            + excluded.used
    where case when c.minute in (excluded.minute, excluded.minute + %(minutes)s) then c.used else 0 end + excluded.used
        <= %(limit)s
    returning used
)
"""
_SPEND = "with " + _SPENT.format(key="%(key)s", source="now") + "select used from spent"  # noqa: S608 - no values


def spend(key: str, amount: int, *, limit: int, minutes: int = 1) -> None:
    """Use up ``amount`` of ``limit`` in ``minutes``; Throttled, with nothing used up, where that is more than is left.

    Must not run in a transaction that may be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"key": key, "amount": amount, "limit": limit, "minutes": minutes})
        if cursor.fetchone() is None:
            raise _throttled(minutes)


def with_request_spent(query: str) -> str:
    """Extend a query for a token's row, so that it uses up one request of the token too: one way for two.

    Its parameters come by name, ``request_bounds()`` among them. The last column says whether a request was left.
    """
    spent = _SPENT.format(key="'requests:' || digest", source="now, found")
    return f"with found as ({query}), {spent} select found.*, exists (select from spent) from found"  # noqa: S608 - no values


def request_bounds() -> dict[str, int]:
    """Return what ``with_request_spent`` needs to know."""
    return {"amount": 1, "limit": settings.API_REQUESTS_PER_MINUTE, "minutes": 1}


def _throttled(minutes: int) -> Throttled:
    window = minutes * SECONDS
    return Throttled(wait=window - int(time.time()) % window)


def give_back(key: str) -> None:
    """Forget what was used up of ``key``."""
    Counter.objects.filter(key=key).delete()


def take_back(keys: Iterable[str]) -> None:
    """Undo one use of each of ``keys``."""
    Counter.objects.filter(key__in=list(keys), used__gt=0).update(used=F("used") - 1)


def address_of(request: Request | HttpRequest) -> str:
    """Return whom a request counts against: the client's address; of IPv6 the network, which is one customer's."""
    ident = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # it reads META, which both have
    return counted_as((ident or "")[:_ADDRESS_CHARACTERS].replace("\x00", ""))


def counted_as(told: str) -> str:
    """Return what an address is counted as, however it is written: all spellings of one client are one.

    What is no address is returned as it is. Where the server listens on IPv6, clients of IPv4 come as
    ``::ffff:a.b.c.d``: as a network of 64 bits, all of them would be one customer.
    """
    port = _WITH_PORT.fullmatch(told)
    try:
        address = ip_address(port["six"] or port["four"] if port else told)
    except ValueError:
        return told
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _NETWORK_BITS), strict=False))


def forget_the_past() -> None:
    """Let counters go whose time is over: addresses and names that were tried have no end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from access_counter where minute < floor(extract(epoch from clock_timestamp()) / 60) - %s",
            [_KEPT_MINUTES],
        )


def spend_records(request: Request, amount: int) -> None:
    """Use up records of the request's token; Throttled where it has sent too many."""
    assert request.auth is not None  # noqa: S101 - only authenticated requests come so far
    spend(f"records:{request.auth.pk}", amount, limit=settings.API_RECORDS_PER_MINUTE)


def count_bad_token(request: Request) -> None:
    """Count a wrong token against the address that it came from; Throttled where there were too many."""
    forget_the_past()
    spend(f"bad-token:{address_of(request)}", 1, limit=settings.API_BAD_TOKENS_PER_MINUTE)


class RequestThrottle(BaseThrottle):
    """Bounds the requests of a token."""

    def allow_request(self, request: Request, _view: Any) -> bool:
        """Throttled where the token made too many, which its look-up has counted."""
        if isinstance(request.auth, Token) and not request.auth.has_request_left:
            raise _throttled(1)
        return True
