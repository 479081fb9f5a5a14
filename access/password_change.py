"""Changing one's password: the page asks for the old one, and must not be a way to guess it with somebody's session."""

import logging
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import Throttled

from access.login import MINUTES, account_key, tell_to_wait, too_many
from access.throttling import forget_the_past, give_back, spend

PER_ACCOUNT = 5

log = logging.getLogger(__name__)


class PasswordChangeForm(AdminPasswordChangeForm):
    """The admin's form, which looks at the old password only while there are attempts left.

    They are the page's own: whoever guesses here uses up none of those to log in.
    """

    def clean_old_password(self) -> Any:
        """Refuse what Django refuses, and with code ``throttled`` what is too much."""
        key = f"{account_key(self.user.get_username())}#change"
        forget_the_past()
        try:
            spend(key, 1, limit=PER_ACCOUNT, minutes=MINUTES)
        except Throttled as error:
            log.warning("too many attempts to change a password")
            raise too_many(error, "`manage.py unlock_login NAME` lets you try at once.") from error
        try:
            password = super().clean_old_password()
        except ValidationError:
            log.warning("a change of a password was refused")
            raise
        give_back(key)
        return password


def password_change(request: HttpRequest) -> HttpResponse:
    """Serve the admin's page: 429 with Retry-After after too many attempts."""
    response = admin.site.password_change(request)
    tell_to_wait(response)
    return response
