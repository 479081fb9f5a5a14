"""The files by which the site is deployed: what they promise of privileges, ports and settings."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.support.container.compose import PROJECT, services

GIVEN = {"POSTGRES_PASSWORD": "forge", "SECRET_KEY": "long", "ADMIN_PASSWORD": "admin"}
SITE = ("migrate", "web", "worker", "scheduler")
OWN = ("access", "backups", "core", "dataforge", "ingest", "olist")
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
# Of the image postgres, of gunicorn and of Python, which read them by themselves.
OTHERS = {"POSTGRES_PASSWORD", "PUBLISH", "PORT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
READS = re.compile(
    r"""(?:\benv\.(?:text|flag|number|texts|pairs|dotted|database)\(|os\.environ(?:\.get\(|\[))\s*["']([A-Z_0-9]+)["']"""
)
NOT_FOR_OPERATORS = {"DJANGO_SETTINGS_MODULE", "XDG_RUNTIME_DIR", "PGOPTIONS"}  # the last is libpq's own


@pytest.fixture
def composed() -> dict[str, Any]:
    return services(GIVEN)


def listed() -> set[str]:
    """Return the variables of `.env.example`."""
    return set(re.findall(r"^#([A-Z_0-9]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_that_is_read_is_listed_and_every_listed_one_is_read() -> None:
    files = [path for app in OWN for path in (PROJECT / app).rglob("*.py")]
    read = {name for path in (*files, PROJECT / "gunicorn.conf.py") for name in READS.findall(path.read_text())}
    assert {"SECRET_KEY", "WEB_CONCURRENCY", "AWS_REGION"} <= read
    assert listed() == read - NOT_FOR_OPERATORS | OTHERS


def test_the_variables_of_the_compose_file_and_of_the_image_are_listed(composed: dict[str, Any]) -> None:
    named = {name for service in composed.values() for name in service["environment"]}
    named |= set(re.findall(r"\$\{(\w+)", (PROJECT / "docker-compose.yml").read_text()))
    assert named <= listed()
    assert {"DATA_DIR", "PORT", "TRIAL"} <= set(re.findall(r"([A-Z_]+)=", DOCKERFILE)) & listed()


@pytest.mark.parametrize("missing", GIVEN)
def test_no_secret_has_a_default(missing: str) -> None:
    with pytest.raises(ValueError, match=rf"^{missing}: .*see \.env\.example"):
        services({name: value for name, value in GIVEN.items() if name != missing})


def test_nothing_is_reached_from_other_machines_unless_that_is_asked_for(composed: dict[str, Any]) -> None:
    assert {name: service["ports"] for name, service in composed.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_every_service_has_a_root_that_cannot_be_written_and_no_way_to_more_rights(composed: dict[str, Any]) -> None:
    for service in composed.values():
        assert service["read_only"] is True
        assert "/tmp" in service["tmpfs"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert {name for name, service in composed.items() if "cap_add" in service} == {"postgres"}


def test_nothing_of_the_site_starts_before_the_tables_are_there(composed: dict[str, Any]) -> None:
    assert composed["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert composed["migrate"]["restart"] == "no"
    for name in SITE[1:]:
        assert composed[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert composed[name]["restart"] == "unless-stopped"
    assert {name for name, service in composed.items() if "ADMIN_PASSWORD" in service["environment"]} == {"migrate"}


def test_postgresql_18_keeps_its_data_where_that_image_keeps_them(composed: dict[str, Any]) -> None:
    assert composed["postgres"]["image"] == "postgres:18"
    assert "postgres:/var/lib/postgresql" in composed["postgres"]["volumes"]


def test_whoever_stops_the_site_waits_until_it_has_finished(composed: dict[str, Any]) -> None:
    scope: dict[str, Any] = {}
    exec((PROJECT / "gunicorn.conf.py").read_text(), scope)
    assert scope["graceful_timeout"] < int(composed["web"]["stop_grace_period"].removesuffix("s"))
    assert scope["keepalive"] > 60


def test_the_image_has_one_base_a_plain_user_and_a_check_of_its_health() -> None:
    assert re.findall(r"^ARG BASE=(.*)$", DOCKERFILE, re.MULTILINE) == ["python:3.13-slim"]
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}"}
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in DOCKERFILE
    assert not re.search(r"apt-get|apk |curl", DOCKERFILE.split("\n", 1)[1])


def test_the_image_gets_all_apps_and_nothing_that_is_not_named() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    named = {rule[1:] for rule in rules if rule.startswith("!")}
    assert named == {*OWN, "constraints.txt", "gunicorn.conf.py", "manage.py", "requirements.txt"}
    assert {app for app in settings.INSTALLED_APPS if (PROJECT / app).is_dir()} <= named


@pytest.mark.skipif(not shutil.which("hadolint", path=str(Path(sys.executable).parent)), reason="no hadolint here")
def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([linter, PROJECT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")
