"""Logging in to the admin: attempts are bounded, and the bound cannot keep the real person out for ever.

Every attempt counts before the password is looked at, so many at once gain nothing. It counts against the account from
that address, against the address, and against the account from anywhere; what is counted is the same for names that
exist and those that do not. A browser in which somebody logged in before has a signed cookie and a bound of its own:
whoever guesses at an account, from wherever, does not use up what its owner has.
"""

import hashlib
import logging
import secrets
import unicodedata
from http import HTTPStatus
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from rest_framework.exceptions import Throttled

from access.models import Counter
from access.throttling import address_of, counted_as, forget_the_past, give_back, spend, take_back

log = logging.getLogger(__name__)

MINUTES = 15
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 50
PER_ACCOUNT = 100
PER_KNOWN_BROWSER = 10
COOKIE = "known_browser"
COOKIE_SECONDS = 180 * 24 * 3600
_SALT = "access.login"
_OF_ADDRESS = "login@"


class LoginForm(AdminAuthenticationForm):
    """The admin's form, which looks at the password only while there are attempts left."""

    def clean(self) -> dict[str, Any]:
        """Refuse what Django refuses, and with code ``throttled`` what is too much."""
        assert self.request is not None  # noqa: S101 - the admin gives it
        account = _account(self.cleaned_data.get("username") or "")
        forget_the_past()
        own, shared = _keys(self.request, account)
        try:
            for key, limit in (own, *shared):
                at = key
                spend(key, 1, limit=limit, minutes=MINUTES)
        except Throttled as error:
            log.warning("too many attempts to log in", extra={"address": address_of(self.request)})
            whose = f"--address {address_of(self.request)}" if at.startswith(_OF_ADDRESS) else "NAME"
            raise too_many(error, f"`manage.py unlock_login {whose}` lets you in at once.") from error
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            log.warning("a login was refused", extra={"address": address_of(self.request)})
            raise
        give_back(own[0])
        take_back(key for key, _ in shared)
        return cleaned


def too_many(error: Throttled, way_out: str) -> ValidationError:
    """Return what a form says to whoever has used up their attempts; ``way_out`` is for whoever runs the site."""
    seconds = int(getattr(error, "wait", None) or 1)
    minutes = -(-seconds // 60)
    message = (
        f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}, or ask whoever runs this "
        f"site: {way_out}"
    )
    return ValidationError(message, code="throttled", params={"seconds": seconds})


def tell_to_wait(response: HttpResponse) -> None:
    """Make the page of a form that was refused by ``too_many`` a 429 with Retry-After."""
    form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
    errors = form.errors.as_data().values() if form is not None and form.is_bound else ()
    for error in chain(*errors):
        if error.code == "throttled":
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(error.params["seconds"])


def login(request: HttpRequest) -> HttpResponse:
    """Serve the admin's login: 429 with Retry-After after too many attempts; a browser that got in is known then."""
    response = admin.site.login(request)
    tell_to_wait(response)
    if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
        value = signing.dumps([_account(request.user.get_username()), secrets.token_hex(8)], salt=_SALT)
        response.set_cookie(
            COOKIE,
            value,
            max_age=COOKIE_SECONDS,
            path=request.path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def unlock(name: str = "", *, address: str = "") -> int:
    """Forget the attempts at an account, or from an address; return how many counters there were."""
    counters = Counter.objects.none()
    if name:
        counters = Counter.objects.filter(key__startswith=account_key(name))
    if address:
        address = counted_as(address.partition("/")[0])
        counters |= Counter.objects.filter(
            Q(key=f"{_OF_ADDRESS}{address}") | Q(key__startswith="login:", key__endswith=f"@{address}")
        )
    return counters.delete()[0]


def account_key(name: str) -> str:
    """Return what all counters of an account begin with; ``unlock`` forgets them."""
    return f"login:{_account(name)}"


def _account(name: str) -> str:
    """Name an account without keeping what was typed, which may be a password in the wrong field."""
    plain = unicodedata.normalize("NFKC", name.strip()).casefold()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _keys(request: HttpRequest, account: str) -> tuple[tuple[str, int], list[tuple[str, int]]]:
    """Return what an attempt counts against, each with its limit: what a success gives back, and the others."""
    try:
        known, number = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        known, number = "", ""
    if known == account:
        return (f"login:{account}#{number}", PER_KNOWN_BROWSER), []
    address = address_of(request)
    shared = [(f"{_OF_ADDRESS}{address}", PER_ADDRESS), (f"login:{account}", PER_ACCOUNT)]
    return (f"login:{account}@{address}", PER_ACCOUNT_AND_ADDRESS), shared
