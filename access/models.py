"""Tokens of the HTTP API, the counters that keep their bounds, and the answers to requests with a key."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken


class Token(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A named token of a user. Only its hash is kept: the token itself is shown once, when it is made."""

    has_request_left = True  # in this minute; see ``access.tokens``
    name = models.CharField(max_length=100, help_text="What it is for, such as the program that holds it.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "name"], name="access_token_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class Counter(models.Model):
    """What was used up in one minute: of one key, such as the records of a token. See ``access.throttling``."""

    key = models.CharField(max_length=200, primary_key=True)
    minute = models.BigIntegerField(help_text="Whole minutes since 1970, by the database's clock.")
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.used} in minute {self.minute}"


class IdempotencyKey(models.Model):
    """A request that was carried out, and its answer, for whoever repeats it within 24 hours."""

    owner = models.CharField(max_length=200, help_text="The token's hash.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request.")
    work = models.CharField(
        max_length=100, blank=True, help_text="The number of work that was entered for it and has no answer yet."
    )
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    answer = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "key"], name="access_idempotency_key")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="access_idempotency_age")]

    def __str__(self) -> str:
        return self.key
