"""Settings are loud: a wrong value stops the start with one line that names the variable."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from dataforge.environment import Environment
from tests.support.secrets import SECRET_KEY

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """Return an environment without a .env."""
    return Environment(tmp_path / ".env")


def test_switches_are_read_in_the_usual_spellings(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in {"on": True, "True": True, "1": True, "no": False, "OFF": False, "": True}.items():
        monkeypatch.setenv("FORGE", value)
        assert env.flag("FORGE", default=True) is expected


@pytest.mark.parametrize("value", ["maybe", "2", "tru"])
def test_a_switch_that_is_neither_on_nor_off_is_refused(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FORGE", value)
    with pytest.raises(ImproperlyConfigured, match=f"^FORGE={value} is neither on nor off; accepted: on, "):
        env.flag("FORGE", default=False)


@pytest.mark.parametrize("value", ["-1", "1.5", "a", "\u0661"])
def test_a_number_that_is_none_is_refused(env: Environment, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FORGE", value)
    with pytest.raises(ImproperlyConfigured, match=r"^FORGE=.* is not a number"):
        env.number("FORGE", default=1)


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("", {}),
        ("a=s3://b/c", {"a": "s3://b/c"}),
        (" a = /x , b=s3://c/d=e ,", {"a": "/x", "b": "s3://c/d=e"}),
        ('{"a": "/x, y=z", "b": "/c"}', {"a": "/x, y=z", "b": "/c"}),
        ("{}", {}),
    ],
)
def test_texts_by_names_are_read_with_commas_or_as_json(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str, pairs: dict[str, str]
) -> None:
    monkeypatch.setenv("FORGE", value)
    assert env.pairs("FORGE") == pairs


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("/x", "FORGE is not accepted: '/x' is no NAME=text. It must look like NAME=text,OTHER=text or {"),
        ("a=/x, y", "FORGE is not accepted: 'y' is no NAME=text"),
        ("a=", "FORGE is not accepted: 'a=' is no NAME=text"),
        ("=/x", "FORGE is not accepted: '=/x' is no NAME=text"),
        ('{"a": 1}', "FORGE is not accepted: a is not a text"),
        ('{"a": {"b": "c"}}', "FORGE is not accepted: a is not a text"),
        ('{"a": ""}', "FORGE is not accepted: a is not a text"),
        ('{"a": "/x"', "FORGE is not accepted: Expecting"),
        ("a=/x,a=/y", "FORGE names a twice: keep one of them."),
        ('{"a": "/x", "a": "/y"}', "FORGE names a twice: keep one of them."),
    ],
)
def test_texts_by_names_that_are_none_are_refused(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("FORGE", value)
    with pytest.raises(ImproperlyConfigured, match=f"^{re.escape(said)}"):
        env.pairs("FORGE")


def test_a_secret_comes_from_a_file_without_its_last_newline(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("$pass phrase \n")
    monkeypatch.setenv("FORGE_A_FILE", str(tmp_path / "secret"))
    assert env.text("FORGE_A") == "$pass phrase "


def test_a_secret_whose_file_cannot_be_read_is_refused(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_B_FILE", "/nowhere/secret")
    with pytest.raises(ImproperlyConfigured, match="FORGE_B_FILE=/nowhere/secret cannot be read"):
        env.text("FORGE_B")


def test_a_secret_given_twice_is_refused(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORGE_C", "one")
    monkeypatch.setenv("FORGE_C_FILE", str(tmp_path / "other"))
    with pytest.raises(ImproperlyConfigured, match="FORGE_C and FORGE_C_FILE are both set"):
        env.text("FORGE_C")


def test_the_environment_wins_over_dotenv_also_by_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FORGE_E", "FORGE_F", "FORGE_G_FILE"):
        # What .env will set is taken out again after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    (tmp_path / "secret").write_text("file\n")
    monkeypatch.setenv("FORGE_D", "environment")
    monkeypatch.setenv("FORGE_F_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("FORGE_G", "environment")
    dotenv = tmp_path / ".env"
    dotenv.write_text("# mine\n\nFORGE_D=mine\nexport FORGE_E='mine'\nFORGE_F=mine\nFORGE_G_FILE=/nowhere\n")
    env = Environment(dotenv)
    assert [env.text(f"FORGE_{letter}") for letter in "DEFG"] == ["environment", "mine", "file", "environment"]


def test_a_line_of_dotenv_that_is_no_assignment_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nFORGE_H: on\n")
    with pytest.raises(ImproperlyConfigured, match="line 2, is no assignment"):
        Environment(tmp_path / ".env")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('"a value" # mine', "a value"),
        ("'a # b'   # mine", "a # b"),
        ('"a # b"', "a # b"),
        ("plain", "plain"),
        ("a#b", "a#b"),
        ("two words", "two words"),
        ('""', ""),
    ],
)
def test_a_value_of_dotenv_means_what_it_looks_like(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, value: str
) -> None:
    monkeypatch.setenv("FORGE_I", "")
    monkeypatch.delenv("FORGE_I")
    (tmp_path / ".env").write_text(f"FORGE_I={line}\n")
    assert Environment(tmp_path / ".env").text("FORGE_I") == value


@pytest.mark.parametrize("line", ['"open', '"a"b', "plain # mine", "'a' b", '"a" "b"'])
def test_a_line_of_dotenv_with_two_meanings_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"# mine\nFORGE_I={line}\n")
    with pytest.raises(ImproperlyConfigured, match=r"line 2, can be read in two ways: put the whole value into quotes"):
        Environment(tmp_path / ".env")


@pytest.mark.parametrize("url", ["postgres://a+b:c+d@h/e+f", "postgres://a%2Bb:c%2Bd@h/e%2Bf"])
def test_a_plus_in_a_database_url_is_a_plus_as_for_psql(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("FORGE_URL", url)
    found = env.database("FORGE_URL", folder=tmp_path) or {}
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("a+b", "c+d", "e+f")


def test_a_percent_sign_that_begins_no_digits_is_refused_without_showing_the_password(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORGE_URL", "postgres://forge:se%cret@h/forge")
    with pytest.raises(ImproperlyConfigured, match="percent-encode special characters") as refused:
        env.database("FORGE_URL", folder=tmp_path)
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["nonsense", "no.such.Backend", "django.tasks.backends.immediate.Immediat", "django_tasks_db."]
)
def test_a_wrong_backend_of_tasks_names_the_setting(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TASKS_BACKEND", value)
    with pytest.raises(ImproperlyConfigured, match=f"^TASKS_BACKEND={value} names no class that is installed"):
        env.dotted("TASKS_BACKEND", default="django.tasks.backends.immediate.ImmediateBackend")


@pytest.mark.parametrize("value", ["django.tasks.backends.dummy.DummyBackend", "django_tasks_db.DatabaseBackend", ""])
def test_a_backend_of_tasks_that_is_installed_is_taken(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TASKS_BACKEND", value)
    default = "django.tasks.backends.immediate.ImmediateBackend"
    assert env.dotted("TASKS_BACKEND", default=default) == (value or default)


def test_a_dotenv_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        Environment(tmp_path / ".env")


def test_a_database_url_keeps_its_encryption_and_its_decoded_password(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    query = "sslmode=verify-full&sslrootcert=/etc/rds.pem&CONN_MAX_AGE=60"
    monkeypatch.setenv("FORGE_URL", f"postgresql://forge:p%2Fw%23@db.example:5433/forge?{query}")
    assert env.database("FORGE_URL", folder=tmp_path) == {
        "ENGINE": "core.postgres.engine",
        "NAME": "forge",
        "USER": "forge",
        "PASSWORD": "p/w#",
        "HOST": "db.example",
        "PORT": 5433,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"sslmode": "verify-full", "sslrootcert": "/etc/rds.pem"},
    }


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://forge:secret@host/forge", "mysql:// names no PostgreSQL"),
        ("sqlite:///forge.db", "sqlite:// names no PostgreSQL"),
        ("postgis://forge:secret@host/forge", "postgis:// names no PostgreSQL"),
        ("garbage", "it names no PostgreSQL"),
        ("postgres://forge:secret@host", "it names no database"),
        ("postgres://forge:secret@host/", "it names no database"),
        ("postgres://forge:sec/ret@host/forge", "it cannot be parsed"),
        ("postgres://forge@host:99999/forge", "it cannot be parsed"),
        ("postgres://forge@host:0/forge", "its port is 0"),
        ("postgres://[forge@host/forge", "it cannot be parsed"),
        ("postgres://forge:sec#ret@host/forge", "must be written %23"),
        ("postgres://forge:secret@host/forge?sslmode=maybe", "sslmode must be one of disable, "),
        ("postgres://forge:secret@host/forge?sslrootcert=", "sslrootcert is empty"),
        ("postgres://forge:secret@host/forge?ssl=on", 'invalid connection option "ssl"'),
        ("postgres://forge:secret@host/forge?CONN_MAX_AGE=long", "CONN_MAX_AGE is neither"),
    ],
)
def test_a_database_url_of_no_usable_postgresql_is_refused_without_showing_its_password(
    env: Environment, monkeypatch: pytest.MonkeyPatch, url: str, problem: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORGE_URL", url)
    with pytest.raises(ImproperlyConfigured) as caught:
        env.database("FORGE_URL", folder=tmp_path)
    message = str(caught.value)
    assert message.startswith("FORGE_URL is not accepted: ")
    assert problem in message
    assert "postgres://USER:PASSWORD@HOST" in message
    assert "sec" not in message


def check(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py check`` with these variables over the environment's own."""
    command = [sys.executable, "manage.py", "check", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=os.environ | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("SECRET_KEY", "x" * 49, "SECRET_KEY has 49 characters"),
        ("SECRET_KEY", "abcd" * 20, "SECRET_KEY has only 4 different characters"),
        ("TASKS_BACKEND", "x.Y", "TASKS_BACKEND=x.Y"),
        ("DEBUG", "maybe", "DEBUG=maybe"),
        ("BACKUP_STORES", "x", "BACKUP_STORES is not accepted: 'x' is no NAME=text"),
        ("DATABASE_URL", "x", "DATABASE_"),
    ],
)
def test_a_wrong_setting_stops_a_command_with_one_line(name: str, value: str, message: str) -> None:
    result = check(**{"DEBUG": "off", "SECRET_KEY": SECRET_KEY, name: value})
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1


def test_a_store_whose_place_is_none_stops_a_command() -> None:
    result = check(DEBUG="off", SECRET_KEY=SECRET_KEY, BACKUP_STORES="second=bucket/x")
    assert result.returncode == 1
    assert "BACKUP_STORES: second: 'bucket/x' names neither a bucket nor a folder from / on." in result.stderr


@pytest.mark.django_db
def test_the_settings_of_production_pass_the_deployment_check() -> None:
    server = connection.get_connection_params()
    url = os.environ.get("DATABASE_URL") or f"postgres://{server['user']}@/{server['dbname']}?host={server['host']}"
    secret = "".join(map(chr, range(48, 123)))
    result = check("--deploy", "--fail-level", "WARNING", DEBUG="off", SECRET_KEY=secret, DATABASE_URL=url)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
