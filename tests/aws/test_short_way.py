"""The README's short way: a server that takes only TLS, a role that is no superuser, files and backups on S3."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from olist.sample import write_sample
from tests.support.aws.certificates import Authority
from tests.support.aws.moto import amazon
from tests.support.aws.terraform import SOURCE
from tests.support.aws.tls_server import MASTER_PASSWORD, Server, tls_server

pytestmark = pytest.mark.slow
PROJECT = SOURCE.parents[1]
README = (SOURCE / "README.md").read_text()
FIGURES = (SOURCE / "modules/observability/figures.tf").read_text()
FROM_NOTHING = README.split("### Restore from nothing")[1]
(RESTORED,) = re.findall(r"for table in (.*?); do ./task.py manage (python manage.py .*?) \|\|", FROM_NOTHING)
HOST = "mydb.abc123.eu-west-1.rds.amazonaws.com"
URL = f"postgresql://dataforge@{HOST}:5432/olist"
STORE = {"BACKUP_STORE": "s3://my-bucket/backups"}
OWNED = """
select count(*) filter (where relowner <> 'dataforge'::regrole), count(*) > 20
from pg_class where relnamespace = 'public'::regnamespace
"""
RIGHTS = """
select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
  (select array_agg(roleid::regrole::text) from pg_auth_members where member = pg_roles.oid),
  has_database_privilege('public', 'olist', 'connect')
from pg_roles where rolname = 'dataforge'
"""


@dataclass(frozen=True)
class Place:
    """A server, and the environment of a person who works with it."""

    server: Server
    folder: Path
    environment: dict[str, str]

    def run(self, command: str, changed: dict[str, str] | None = None, *, code: int = 0) -> str:
        """Run one line of a shell, which is to end with ``code``, and return what it printed."""
        line = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        ran = subprocess.run(
            ["sh", "-c", line.replace("=master-password", f"={self.folder}/master-password")],
            cwd=PROJECT,
            env=self.environment | (changed or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stdout
        assert "Traceback" not in ran.stdout
        return ran.stdout


def commands() -> list[str]:
    """Return the commands of the README's short way."""
    section = README.split("## The short way")[1].split("\n## ")[0]
    (block,) = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [command.strip() for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with amazon() as address:
        yield address.removeprefix("http://")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Amazon RDS of a test")


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="rds-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        tls_server(Path(folder), authority.vouch(HOST)) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def place(server: Server, authority: Authority, s3: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("person")
    (folder / "authorities.pem").write_bytes(authority.certificate)
    (folder / "master-password").write_text(MASTER_PASSWORD + "\n")
    (folder / "owner-password").write_text("owner's %password\n")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PG", "DATABASE_"))}
    return Place(
        server,
        folder,
        ours
        | {
            "DEBUG": "off",
            "SECRET_KEY": "of a test, and as long as the settings of production want one to be",
            "DATABASE_URL": f"{URL.replace('5432', str(server.port))}?hostaddr=127.0.0.1",
            "DATABASE_CA_FILE": str(folder / "authorities.pem"),
            "DATABASE_PASSWORD_FILE": str(folder / "owner-password"),
            "AWS_ENDPOINT_URL": f"http://{s3}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-west-1",
        },
    )


@pytest.fixture(scope="module")
def bucket(s3: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    files = tmp_path_factory.mktemp("olist")
    write_sample(files, scale=0.002, seed=5, dirty=0.02)
    store = fs.S3FileSystem(
        access_key="testing", secret_key="testing", scheme="http", endpoint_override=s3, allow_bucket_creation=True
    )
    store.create_dir("my-bucket")
    for path in files.glob("*.csv"):
        with store.open_output_stream(f"my-bucket/olist/{path.name}") as stream:
            stream.write(path.read_bytes())


@pytest.fixture(scope="module")
def said(place: Place, bucket: None) -> dict[str, str]:
    """Carry out the README's short way as it stands; return what each command printed."""
    there = ("curl", "openssl", "export")  # the fixtures made the files and the environment that these make
    return {command: place.run(command) for command in commands() if not command.startswith(there)}


def test_the_short_way_of_the_readme_runs_as_it_stands(place: Place, said: dict[str, str]) -> None:
    prepared, migrated, loaded, kept = said.values()
    assert "role dataforge: made" in prepared
    assert "database olist: made, owned by dataforge" in prepared
    assert "Applying ingest" in migrated
    assert "order_reviews" in loaded
    assert re.search(r"s3://my-bucket/backups/\S+/olist_orders/olist_orders\.parquet", kept)


def test_what_it_exports_are_settings(place: Place) -> None:
    (exported,) = (command for command in commands() if command.startswith("export"))
    assert f"DATABASE_URL={URL}" in exported
    assert set(re.findall(r"([A-Z_]+)=", exported)) <= set(place.environment)


def test_the_role_owns_its_database_and_may_do_nothing_else(place: Place, said: dict[str, str]) -> None:
    assert place.server.as_administrator(RIGHTS) == [(False, False, False, False, False, None, False)]
    owned = f"from django.db import connection as c; k = c.cursor(); k.execute({OWNED!r}); print(k.fetchall())"
    assert place.run(f".venv/bin/python manage.py shell -v 0 -c {shlex.quote(owned)}") == "[(0, True)]\n"


def test_every_connection_is_encrypted_and_checked(place: Place, said: dict[str, str]) -> None:
    query = "select version from pg_stat_ssl where pid = pg_backend_pid()"
    code = f"from django.db import connection as c; k = c.cursor(); k.execute({query!r}); print(k.fetchall())"
    assert "TLSv1.3" in place.run(f".venv/bin/python manage.py shell -v 0 -c {shlex.quote(code)}")


def test_batches_and_replays_run_with_the_rights_of_an_owner(place: Place, said: dict[str, str]) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "dataforge.settings"}
    printed = place.run(".venv/bin/python -m tests.support.aws.posting", settings)
    assert "207 min_value 201\n" in printed
    check_figures([json.loads(line) for line in printed.splitlines() if line.startswith("{")])


def check_figures(log: list[dict[str, Any]]) -> None:
    """Read the log as CloudWatch does: by the filter of the alarm on rejects."""
    (event,) = re.findall(r'\$\.event = \\"(\w+)\\"', FIGURES)
    (member,) = set(re.findall(r"\$\.(\w+)\.\$\{each\.key\}", FIGURES))
    (names,) = re.findall(r"for_each += \{(.*?)\}", FIGURES)
    counts = [line[member] for line in log if line["event"] == event]
    assert [[each[name] for name in re.findall(r"(\w+) =", names)] for each in counts] == [[3, 1], [1, 0]]


def test_backups_are_proved_and_restored_with_the_rights_of_an_owner(place: Place, said: dict[str, str]) -> None:
    manage = ".venv/bin/python manage.py"
    place.run(f"{manage} verify_backup --all --drill", STORE)
    for mode in ("replace", "merge"):
        assert f"rows restored by {mode}" in place.run(f"{manage} restore_table geolocation --mode {mode}", STORE)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("authority", "certificate verify failed"),
        ("host", "does not match host name"),
        ("plain", "no encryption"),
        ("password", "password authentication failed"),
    ],
)
def test_a_server_that_cannot_be_trusted_is_refused(
    wrong: str, problem: str, place: Place, said: dict[str, str]
) -> None:
    url = place.environment["DATABASE_URL"]
    (place.folder / "other.pem").write_bytes(Authority("another").certificate)
    (place.folder / "wrong-password").write_text("wrong")
    changed = {
        "authority": {"DATABASE_CA_FILE": str(place.folder / "other.pem")},
        "host": {"DATABASE_URL": url.replace("mydb", "otherdb")},
        "plain": {"DATABASE_URL": f"{url}&sslmode=disable", "DATABASE_CA_FILE": ""},
        "password": {"DATABASE_PASSWORD_FILE": str(place.folder / "wrong-password")},
    }[wrong]
    printed = place.run(".venv/bin/python manage.py list_backups", changed, code=3)
    assert problem in printed
    assert len(printed.splitlines()) == 1


def test_the_authorities_may_be_a_text(place: Place, said: dict[str, str], authority: Authority) -> None:
    given = {"DATABASE_CA_FILE": "", "DATABASE_CA": authority.certificate.decode()}
    place.run(".venv/bin/python manage.py list_backups", given)


def test_a_new_password_of_the_owner_is_given_by_preparing_again(place: Place, said: dict[str, str]) -> None:
    (prepare,) = (command for command in said if "prepare_database" in command)
    (place.folder / "next-password").write_text("next")
    following = {"DATABASE_PASSWORD_FILE": str(place.folder / "next-password")}
    assert "it has the password of today" in place.run(prepare, following)
    place.run(".venv/bin/python manage.py list_backups", following)
    assert "authentication failed" in place.run(".venv/bin/python manage.py list_backups", code=3)
    place.run(prepare)  # back, for the tests that follow


@dataclass(frozen=True)
class Nightly:
    """A scheduled backup: what it printed, and what was in the tables then."""

    printed: str
    tables: dict[str, list[tuple[object, ...]]]


def content(server: Server, database: str) -> dict[str, list[tuple[object, ...]]]:
    """Return count and digest of all rows of each table that the README restores."""
    digest = "select count(*), md5(string_agg(t::text, ',' order by t::text)) from {} t"
    given = RESTORED[0].split()
    stored = [table if table.startswith(("auth_", "access_", "ingest_")) else f"olist_{table}" for table in given]
    return {table: server.as_administrator(digest.format(table), database) for table in stored}


@pytest.fixture(scope="module")
def nightly(place: Place, said: dict[str, str]) -> Nightly:
    """Carry out the README's schedule, as if it had long been due."""
    (made,) = re.findall(r'shell -c "(from backups.models import BackupSchedule.*?)"\n', README, re.DOTALL)
    overdue = "BackupSchedule.objects.update(created_at='2020-01-01T00:00Z')"
    place.run(f".venv/bin/python manage.py shell -v 0 -c {shlex.quote(made + chr(10) + overdue)}")
    printed = place.run(".venv/bin/python manage.py run_scheduled_backups", STORE)
    return Nightly(printed, content(place.server, "olist"))


def test_the_alarm_of_old_backups_reads_what_a_scheduled_backup_prints(nightly: Nightly) -> None:
    pattern = re.search(r'pattern += "\\"([^"]+)\\""', FIGURES)
    assert pattern
    assert pattern[1] in nightly.printed


def test_everything_comes_back_from_the_bucket_alone(place: Place, nightly: Nightly) -> None:
    before = re.findall(r"^\$ ./task.py (?:manage )?(.*)", FROM_NOTHING, re.MULTILINE)
    assert before[0] == "prepare"
    elsewhere = STORE | {"DATABASE_URL": place.environment["DATABASE_URL"].replace("/olist?", "/again?")}
    master = "DATABASE_MASTER_USER=postgres DATABASE_MASTER_PASSWORD_FILE=master-password"
    place.run(f"{master} .venv/bin/python -m dataforge.prepare_database", elsewhere)
    for step in before[1:]:
        place.run(f".venv/bin/{step}", elsewhere)
    tables, command = RESTORED
    place.run(f"for table in {tables}; do .venv/bin/{command} || exit; done", elsewhere)
    assert content(place.server, "again") == nightly.tables
