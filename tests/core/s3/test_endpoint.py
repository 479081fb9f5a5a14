"""Which server the environment names: all of its address counts, and what is none is said without showing it."""

import pytest

from core.errors import SourceUnreadable
from core.s3.endpoint import Endpoint, endpoint
from tests.support.aws.moto import name_by_environment


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("http://127.0.0.1:9000", Endpoint("http", "127.0.0.1:9000")),
        ("https://s3.example.com", Endpoint("https", "s3.example.com")),
        ("https://s3.example.com/", Endpoint("https", "s3.example.com")),
        ("https://s3.example.com/sub/deep/", Endpoint("https", "s3.example.com/sub/deep")),
        ("http://[::1]:9000/sub", Endpoint("http", "[::1]:9000/sub")),
        ("", Endpoint()),
    ],
)
def test_an_address_is_taken_with_its_path(value: str, meant: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    name_by_environment(monkeypatch, value)
    assert endpoint() == meant
    assert endpoint().url == value.rstrip("/")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("localhost:9000", "does not begin with https:// or http://"),
        ("s3.example.com/sub", "does not begin with https:// or http://"),
        ("s3://s3.example.com", "begins with s3://, neither https:// nor http://"),
        ("http://", "names no host, or no number for its port"),
        ("http://s3.example.com:port", "names no host, or no number for its port"),
        ("http://s3.example.com:99999", "names no host, or no number for its port"),
        ("http://[::1", "names no host, or no number for its port"),
        ("http://s3.example.com/a b", "holds a blank"),
        (" http://s3.example.com", "holds a blank"),
        ("http://me:hush@s3.example.com", "names a user, who belongs into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("http://s3.example.com/?region=x", "goes on behind its path"),
        ("http://s3.example.com#x", "goes on behind its path"),
    ],
)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_what_is_no_address_is_said_with_the_setting_and_its_form(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_by_environment(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with pytest.raises(SourceUnreadable) as refused:
        endpoint()
    assert str(refused.value).startswith(f"{name}: {problem}. Write it as https://HOST:PORT, ")
    assert "hush" not in str(refused.value)
