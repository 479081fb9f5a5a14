"""The published schema of backups: every answer is as it says, whatever is sent."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from backups.backing_up.backup import backup
from backups.models import Backup, Restore
from dataforge.wsgi import application
from tests.ingest.api.test_schema import HOST, authenticated, is_sound
from tests.support.backups.people import caller, person
from tests.support.backups.runs import library

pytestmark = pytest.mark.usefixtures("committed", "store")
type Case = schemathesis.Case[Any]
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


def published(cases: int, token: str) -> BaseSchema:
    """Read the schema as a client does; all calls are authenticated."""
    read = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, base_url=HOST, config=config(cases))
    return authenticated(read.include(tag="backups"), token)


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
    statuses: set[tuple[str, int]] = set()

    def check(case: Case) -> None:
        aim(case)
        response = case.call(base_url=HOST)
        statuses.add((case.operation.label, response.status_code))
        case.validate_response(response)

    for generated in get_all_tests(schema=published(cases, token), test_func=check, settings=None, given_kwargs={}):
        assert isinstance(generated, Ok)
        operation, run = generated.ok()
        with subtests.test(operation.label):
            run()
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
