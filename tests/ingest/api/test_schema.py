"""The published schema: it is sound, and every answer is as it says, whatever is sent."""

from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from dataforge.wsgi import application
from ingest.api.request.parsers import CSV, NDJSON
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import trusted
from tests.support.loading.loads import PLAIN

HOST = "https://localhost"
# What is sent as lines is of this table: the schema can say no more of a text than that it is one.
TABLE = "customers"
NAMES = ",".join(PLAIN[TABLE])
CELL = st.text(st.characters(exclude_characters='",\r\n', codec="utf-8"), min_size=1)
LINE = st.lists(CELL, min_size=len(PLAIN[TABLE]), max_size=len(PLAIN[TABLE])).map(",".join)
schemathesis.openapi.media_type(
    CSV, st.lists(LINE, min_size=1, max_size=5).map(lambda lines: "\n".join([NAMES, *lines]).encode())
)
schemathesis.openapi.media_type(
    NDJSON, st.lists(LINE.map(repr), min_size=1, max_size=5).map(lambda lines: "\n".join(lines).encode())
)


type Case = schemathesis.Case[Any]


def config(cases: int) -> SchemathesisConfig:
    """Ask for so many random cases an operation, beside those at the bounds of its schema: the same each time."""
    accepted = ["2xx", "401", "403", "404", "409", "429", "503"]
    refused = ["400", "401", "403", "404", "405", "406", "409", "415", "422", "429"]
    checks = {
        # A wrong record in a well-formed request is data: 422 says that each was rejected by itself.
        "positive_data_acceptance": {"expected-statuses": [*accepted, "422"]},
        # Too many records are too large a request, and not a bad one.
        "negative_data_rejection": {"expected-statuses": [*refused, "413"]},
    }
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"max-examples": cases, "deterministic": True, "database": "none"},
            "operations": [{"include-operation-id": ["post_batch", "replay_reject"], "checks": checks}],
        }
    )


def published(cases: int, token: str) -> BaseSchema:
    """Read the schema of the pipeline as a client does; all calls are authenticated."""
    read = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, base_url=HOST, config=config(cases))
    return authenticated(read.exclude(tag="backups"), token)


def authenticated(schema: BaseSchema, token: str) -> BaseSchema:
    """Have every call send ``token``."""

    @schema.auth()
    class Token:
        def get(self, case: Case, context: schemathesis.AuthContext) -> str:
            del case, context
            return token

        def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
            del context
            case.headers["Authorization"] = data

    return schema


def aim(case: Case) -> None:
    """Let a sound request be of what is really there; OpenAPI has no words for either of these."""
    if "number" in case.path_parameters and is_sound(case, ParameterLocation.PATH):
        found = Batch.objects.first() if "/batches/" in case.path else RejectedRecord.objects.first()
        case.path_parameters["number"] = str(found.pk) if found else ""
    if case.operation.label == "POST /api/v1/batches/" and is_sound(case, ParameterLocation.QUERY):
        # Whether options stand in the address or in the body depends on the media type.
        case.query = {**case.query, "table": TABLE} if case.media_type in (CSV, NDJSON) else {}


def is_sound(case: Case, where: ParameterLocation) -> bool:
    """Tell whether one part of a request is meant to agree with the schema."""
    found = case.meta.components.get(where) if case.meta else None
    return found is None or found.mode.is_positive


@pytest.fixture
def token(one_connection: None, settings: Any) -> str:
    """Return the header of one who may do everything; there are a batch and a reject."""
    settings.API_REQUESTS_PER_MINUTE = settings.API_RECORDS_PER_MINUTE = settings.API_BAD_TOKENS_PER_MINUTE = 1_000_000
    client = trusted()
    assert client.post({"table": TABLE, "records": [PLAIN[TABLE], {}]}).status == 207
    return client.headers["Authorization"]


@pytest.mark.slow
@pytest.mark.parametrize("cases", [5, 200])
def test_every_answer_is_as_published(cases: int, token: str, subtests: pytest.Subtests) -> None:
    statuses: set[tuple[str, int]] = set()

    def check(case: Case) -> None:
        aim(case)
        response = case.call(base_url=HOST)
        statuses.add((case.operation.label, response.status_code))
        case.validate_response(response)

    for found in get_all_tests(schema=published(cases, token), test_func=check, settings=None, given_kwargs={}):
        assert isinstance(found, Ok)
        operation, run = found.ok()
        with subtests.test(operation.label):
            run()
    # The cases reach what is to be seen: records accepted and rejected, in all forms, and a replay.
    assert {status for label, status in statuses if label == "POST /api/v1/batches/"} >= {200, 201, 400, 413, 422}
    assert ("POST /api/v1/rejects/{number}/replay/", 422) in statuses
    assert {label for label, status in statuses if status < 300} >= {
        f"GET /api/v1/{path}"
        for path in ("batches/", "batches/{number}/", "rejects/", "rejects/{number}/", "tables/", "tables/{table}/")
    }


def test_the_document_is_sound_openapi_and_says_something_of_everything(client: Any) -> None:
    document = client.get("/api/schema/?format=json", secure=True).json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())
