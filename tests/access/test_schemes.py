"""The token behind `Token` or `Bearer`; another scheme is told apart from none."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Counter
from access.tokens import create_token

pytestmark = pytest.mark.django_db
PATH = "/api/v1/batches/"


def get(header: str | None) -> tuple[int, str]:
    answer = Client().get(PATH, headers={} if header is None else {"Authorization": header})
    return answer.status_code, "" if answer.status_code == 200 else answer.json()["code"]


@pytest.fixture
def token() -> str:
    return create_token(User.objects.create_user("ana"), name="till", expires=None)


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer", "TOKEN"])
def test_a_token_is_taken_behind_either_word_in_any_case(token: str, scheme: str) -> None:
    assert get(f"{scheme} {token}") == (200, "")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Digest x", "JWT {token}"])
def test_another_scheme_is_named_as_the_fault(token: str, header: str) -> None:
    assert get(header.format(token=token)) == (401, "wrong_scheme")


@pytest.mark.parametrize("header", [None, ""])
def test_no_credentials_are_none(header: str | None) -> None:
    assert get(header) == (401, "not_authenticated")


@pytest.mark.parametrize("header", ["Token", "Bearer", "Bearer ", "Bearer a b"])
def test_a_word_without_a_token_counts_as_a_wrong_one(header: str) -> None:
    assert get(header) == (401, "authentication_failed")
    assert Counter.objects.get().key.startswith("bad-token:")
