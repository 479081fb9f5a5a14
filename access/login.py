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
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from rest_framework.exceptions import Throttled

from access.throttling import address_of, forget_the_past, give_back, spend

log = logging.getLogger(__name__)

MINUTES = 15
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 50
PER_ACCOUNT = 100
PER_KNOWN_BROWSER = 10
COOKIE = "known_browser"
COOKIE_SECONDS = 180 * 24 * 3600
_SALT = "access.login"


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
                spend(key, 1, limit=limit, minutes=MINUTES)
        except Throttled as error:
            log.warning("too many attempts to log in", extra={"address": address_of(self.request)})
            seconds = int(getattr(error, "wait", None) or 1)
            minutes = -(-seconds // 60)
            message = f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
            raise ValidationError(message, code="throttled", params={"seconds": seconds}) from error
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            log.warning("a login was refused", extra={"address": address_of(self.request)})
            raise
        give_back(own[0])
        return cleaned


def login(request: HttpRequest) -> HttpResponse:
    """Serve the admin's login: 429 with Retry-After after too many attempts; a browser that got in is known then."""
    response = admin.site.login(request)
    form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
    for error in form.errors.as_data().get("__all__", ()) if form is not None and form.is_bound else ():
        if error.code == "throttled":
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(error.params["seconds"])
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


def _account(name: str) -> str:
    """Name an account without keeping what was typed, which may be a password in the wrong field."""
    plain = unicodedata.normalize("NFKC", name).casefold()
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
    shared = [(f"login@{address}", PER_ADDRESS), (f"login:{account}", PER_ACCOUNT)]
    return (f"login:{account}@{address}", PER_ACCOUNT_AND_ADDRESS), shared
