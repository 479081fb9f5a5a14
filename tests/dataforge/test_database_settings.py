"""The database's password and certificate authorities may come apart from its URL; contradictions are loud."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dataforge.environment import Environment

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
URL = "postgresql://forge@db.example/forge"


NUMBERS = count()  # a file that was read once is not read again under the same name


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    prefix = f"FORGE{next(NUMBERS)}"
    for name, value in variables.items():
        monkeypatch.setenv(f"{prefix}_{name}", value)
    env = Environment(folder / ".env")
    password, authorities = env.text(f"{prefix}_PASSWORD"), env.text(f"{prefix}_CA")
    database = env.database(f"{prefix}_URL", password=password, authorities=authorities, folder=folder / "var")
    return database or {}


def test_a_password_apart_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(tmp_path, monkeypatch, URL=URL, PASSWORD="p%2Fw#'@")["PASSWORD"] == "p%2Fw#'@"


def test_authorities_in_a_file_check_the_server_by_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rds.pem"
    file.write_text(PEM)
    options = read(tmp_path, monkeypatch, URL=URL, CA_FILE=str(file))["OPTIONS"]
    assert options == {"sslmode": "verify-full", "sslrootcert": str(file)}


def test_authorities_in_a_text_are_written_where_libpq_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = (read(tmp_path, monkeypatch, URL=f"{URL}?sslmode=verify-ca", CA=PEM)["OPTIONS"] for _ in range(2))
    assert first == again
    assert first["sslmode"] == "verify-ca"
    (written,) = (tmp_path / "var").iterdir()
    assert (str(written), written.read_text()) == (first["sslrootcert"], PEM + "\n")


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"URL": URL.replace("@", ":secret@"), "PASSWORD": "other"}, "_URL holds a password: give only one"),
        ({"URL": f"{URL}?sslrootcert=/etc/rds.pem", "CA": PEM}, "_URL has an sslrootcert; give only one"),
        ({"URL": f"{URL}?sslmode=require", "CA": PEM}, "sslmode=require, which checks no server"),
        ({"URL": URL, "CA": "rds.pem"}, "_CA is not accepted: it holds no certificate"),
        ({"URL": URL, "CA_FILE": "/nowhere/rds.pem"}, "_CA_FILE=/nowhere/rds.pem cannot be read"),
        ({"PASSWORD": "secret"}, "_PASSWORD is set, and "),
        ({"CA": PEM}, "_CA is set, and "),
    ],
)
def test_contradictions_are_refused_without_showing_a_password(
    variables: dict[str, str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(tmp_path, monkeypatch, **variables)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)
