"""The API as a client sees it."""

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from access.tokens import create_token

type Json = dict[str, Any]

BATCHES = "/api/v1/batches/"
EVERYTHING = ("add", "change", "view")


class ApiClient:
    """Someone with a token. Each call gives status, headers and document of the answer."""

    def __init__(self, token: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self.headers = {} if token is None else {"Authorization": f"Token {token}"}

    def post(self, body: Any, *, to: str = BATCHES, kind: str = "application/json", **headers: str) -> "Answered":
        """Send ``body``: bytes and text as they are, all else as JSON."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answered(self._client.post(to, data, content_type=kind, headers={**self.headers, **named}, secure=True))

    def get(self, path: str, **headers: str) -> "Answered":
        """Read ``path``."""
        return Answered(self._client.get(path, headers={**self.headers, **headers}, secure=True))


class Answered:
    """One answer."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.text: str = response.content.decode()

    @property
    def json(self) -> Json:
        """The document."""
        found: Json = json.loads(self.text)
        return found

    @property
    def counts(self) -> dict[str, int]:
        """The account, without the zeros."""
        return {name: count for name, count in self.json["counts"].items() if count}

    @property
    def codes(self) -> list[tuple[int, str | None, str]]:
        """Index, field and code of each reason."""
        return [
            (result["index"], reason["field"], reason["code"])
            for result in self.json["results"]
            for reason in result.get("reasons", ())
        ]

    def __repr__(self) -> str:
        return f"{self.status} {self.text[:2000]}"


def client_of(name: str = "till", *, superuser: bool = False, rights: Mapping[str, tuple[str, ...]] = {}) -> ApiClient:
    """Return a new user, with ``rights`` to models of olist by name, and a token."""
    user = User.objects.create_user(name, is_superuser=superuser)
    for model, verbs in rights.items():
        for verb in verbs:
            codename = f"{verb}_{model}"
            user.user_permissions.add(Permission.objects.get(content_type__app_label="olist", codename=codename))
    return ApiClient(create_token(user, name="test", expires=None))


def trusted() -> ApiClient:
    """Return a client that may do everything."""
    return client_of("root", superuser=True)
