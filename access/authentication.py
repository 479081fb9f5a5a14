"""``Authorization: Token ...``, the one way into the HTTP API."""

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from access.models import Token
from access.throttling import count_bad_token
from access.tokens import find_token

REFUSED = "This token is unknown, or has expired, or was revoked."


class HashedTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """Knox's header, and a look-up of our own: its way costs a query more, and fails on bytes that are no text."""

    def authenticate(self, request: Request) -> Any:
        """Return user and token; None without the header. Wrong tokens are counted by address: 401, then 429."""
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            count_bad_token(request)
            raise

    def authenticate_credentials(self, token: bytes) -> Any:
        """Return user and token; AuthenticationFailed for one that does not hold."""
        row = find_token(token.decode("utf-8", "replace"))
        if row is None:
            raise AuthenticationFailed(REFUSED)
        return row.user, row


def sender(request: Request) -> tuple[User, Token]:
    """Return user and token of an authenticated request."""
    if not isinstance(request.user, User) or not isinstance(request.auth, Token):
        raise NotAuthenticated
    return request.user, request.auth


class HashedTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # an untyped hook of theirs
    """What the published schema says of it."""

    target_class = HashedTokenAuthentication
    name = "token"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        """Describe the header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and the token, as `manage.py create_token` printed it: `Authorization: Token ...`.",
        }
