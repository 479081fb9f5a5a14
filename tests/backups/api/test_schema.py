"""The published schema of backups: every answer is as it says, whatever is sent."""

from pathlib import Path
from typing import Any

import pytest
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema

from backups.backing_up.backup import backup
from backups.models import Backup, Restore
from tests.support.api.published import Case, authenticated, call_all, is_sound, published
from tests.support.backups.people import caller, person
from tests.support.backups.runs import library

pytestmark = pytest.mark.usefixtures("committed", "store")
FEW = 6
RESTORES = "POST /api/v1/backups/{number}/restore/"


def config(cases: int) -> SchemathesisConfig:
    """Ask for so many random cases an operation; names of tables that no model has are sound, and 404."""
    accepted = ["2xx", "401", "403", "404", "409", "422", "429", "503"]
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "phases": {"coverage": {"enabled": cases > FEW}},  # takes seconds
            "generation": {"max-examples": cases, "deterministic": True, "database": "none"},
            "checks": {"positive_data_acceptance": {"expected-statuses": accepted}},
        }
    )


def of_backups(cases: int, token: str) -> BaseSchema:
    """Read the schema of backups; all calls are authenticated."""
    return authenticated(published(config(cases)).include(tag="backups"), token)


def aim(case: Case) -> None:
    """Let a sound request be of what is really there, and back up little: the words for all mean this database."""
    if "number" in case.path_parameters and is_sound(case, ParameterLocation.PATH):
        row = Restore.objects.first() if "/restores/" in case.path else Backup.objects.order_by("started_at").first()
        case.path_parameters["number"] = str(row.pk) if row else ""


@pytest.mark.parametrize("cases", [FEW, pytest.param(100, marks=pytest.mark.slow)])
def test_every_answer_is_as_published(cases: int, store: Path, settings: Any, subtests: pytest.Subtests) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf"]
    library()
    backup(["shelves"])
    Restore.objects.create(table="shelves", path="/x/y.parquet", dry_run=True)
    token = caller(person(superuser=True)).headers["Authorization"]
    statuses = call_all(of_backups(cases, token), aim, subtests)
    assert {label for label, status in statuses if status in (200, 202)} == {
        "POST /api/v1/backups/",
        "GET /api/v1/backups/",
        "GET /api/v1/backups/{number}/",
        "POST /api/v1/backups/{number}/verify/",
        RESTORES,
        "GET /api/v1/restores/",
        "GET /api/v1/restores/{number}/",
    }
    if cases > FEW:
        assert {(RESTORES, 400), ("POST /api/v1/backups/", 404)} <= statuses
