"""Tokens of the HTTP API, and the counters that keep their bounds."""

from typing import ClassVar

from django.db import models
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
