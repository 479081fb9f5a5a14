"""Making tokens and recognising them."""

import datetime
import hashlib
from functools import cache

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from access.models import Token
from access.throttling import request_bounds, with_request_spent

DEFAULT_DAYS = 365


def create_token(user: AbstractBaseUser, *, name: str, expires: datetime.datetime | None) -> str:
    """Make a token and return it; this is the only moment at which it can be seen.

    ``expires`` None: never. Django's ``IntegrityError`` where the user has a token of this name.
    """
    row = Token(user=user, name=name, expiry=expires)
    token = fresh_token(row)
    with transaction.atomic():
        row.save(force_insert=True)
    return token


def fresh_token(row: Token) -> str:
    """Put a random token's hash into ``row`` (not yet saved), and return the token."""
    row.digest, token = get_digest_token()
    row.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
    return str(token)


@cache
def _query() -> tuple[str, int]:
    """Compile the look-up of a token and its user once: every request makes it.

    Returns the statement, and how many of its columns are the token's.
    """
    rows = Token.objects.select_related("user").filter(digest="").order_by()
    statement, _ = rows.query.sql_with_params()
    return with_request_spent(statement.replace("%s", "%(digest)s")), len(Token._meta.concrete_fields)


def _read(digest: str) -> Token | None:
    statement, own = _query()
    with connection.cursor() as cursor:
        cursor.execute(statement, {"digest": digest, **request_bounds()})
        row = cursor.fetchone()
    if row is None:
        return None
    user = get_user_model()
    token: Token = Token.from_db(connection.alias, [field.attname for field in Token._meta.concrete_fields], row[:own])
    token.user = user.from_db(connection.alias, [field.attname for field in user._meta.concrete_fields], row[own:-1])
    token.has_request_left = row[-1]
    return token


def find_token(token: str) -> Token | None:
    """Return the token's row with its user, or None where there is none, or it has expired, or its user may not log in.

    By the hash alone, which is the key: one query, whose time tells nothing about other tokens, and which uses up one
    request of the token.
    """
    digest = hashlib.sha512(token.encode("utf-8", "surrogatepass")).hexdigest()
    row = _read(digest)
    if row is None or not row.user.is_active or (row.expiry is not None and row.expiry <= timezone.now()):
        return None
    return row
