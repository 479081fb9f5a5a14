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
from schemathesis.schemas import BaseSchema

from ingest.api.request.parsers import CSV, NDJSON
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import trusted
from tests.support.api.published import Case, authenticated, call_all, is_sound, published
from tests.support.loading.loads import PLAIN

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


def of_the_pipeline(cases: int, token: str) -> BaseSchema:
    """Read the schema but for backups; all calls are authenticated."""
    return authenticated(published(config(cases)).exclude(tag="backups"), token)


def aim(case: Case) -> None:
    """Let a sound request be of what is really there; OpenAPI has no words for either of these."""
    if "number" in case.path_parameters and is_sound(case, ParameterLocation.PATH):
        found = Batch.objects.first() if "/batches/" in case.path else RejectedRecord.objects.first()
        case.path_parameters["number"] = str(found.pk) if found else ""
    if case.operation.label == "POST /api/v1/batches/" and is_sound(case, ParameterLocation.QUERY):
        # Whether options stand in the address or in the body depends on the media type.
        query = {**case.query, "table": TABLE} if case.media_type in (CSV, NDJSON) else {}
        case.query = query if case.media_type == CSV else {n: query[n] for n in query if n not in {"null", "times"}}


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
    statuses = call_all(of_the_pipeline(cases, token), aim, subtests)
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
