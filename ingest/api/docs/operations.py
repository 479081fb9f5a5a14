"""What the published OpenAPI document says of each operation: requests, answers of every status, examples."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from core.web import openapi
from core.web.openapi import CURSOR, RETRY_AFTER, changes_something, header, page_of
from core.web.request_bodies import JSON
from ingest.api.docs.schemas import AnswerSerializer, TableSerializer, TableSummarySerializer
from ingest.api.filters import BatchFilters, RejectFilters
from ingest.api.request.careful import MAX_NAME_CHARACTERS, MAX_RECORDS
from ingest.api.request.parsers import CSV, NDJSON
from ingest.api.request.serializer import RESULTS
from ingest.api.response.serializers import BatchAccountSerializer, RejectSerializer
from ingest.posting.unit import MODES
from ingest.readers.csv.signs import TIMES
from ingest.rules import null_words
from ingest.rules.examples import example_batch
from ingest.rules.json_schema import json_schema
from ingest.rules.on_conflict import ON_CONFLICT
from ingest.rules.sources import sources

_PROBLEMS = {
    400: "The request is not JSON, or its envelope or parameters are wrong.",
    409: "The Idempotency-Key is in flight, or the reject is closed.",
    413: "Too many records or bytes; the bound is named.",
    415: "Neither JSON, NDJSON nor CSV in UTF-8, as it is or gzipped once (gzip, x-gzip).",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests or records in this minute; see Retry-After.",
}
_ALL = (400, 401, 403, 404, 406, 409, 411, 413, 415, 422, 429, 503)
_RECORD = {
    "description": "A record of the table, by its schema (see /api/v1/tables/). One that breaks it is no fault of the "
    "request: it is rejected by itself, with all its reasons.",
    "anyOf": [*({"$ref": f"#/components/schemas/{source.table}"} for source in sources()), {}],
}
_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS, "pattern": "^[ -~]+$"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "mode": {"type": "string", "enum": list(MODES), "default": "partial"},
    "on_conflict": {
        "type": "string",
        "enum": list(ON_CONFLICT),
        "default": "reject",
        "description": "For a key that is stored with other content, or comes more than once. reject: what is stored "
        "stays, and the first record of a key counts. update: the last good record of a key is written; earlier ones "
        "are rejected as superseded_in_batch, which is no fault: no group and no atomic batch falls with them, and "
        "they are closed. An update writes the whole record over what is stored: a member left out becomes null, and "
        "where it must not be null, the record is rejected.",
    },
    "results": {"type": "string", "enum": list(RESULTS), "default": "errors"},
    "dry_run": {"type": "boolean", "default": False},
}


def _records(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "maxItems": MAX_RECORDS, "items": items}


def _table_name() -> dict[str, Any]:
    return {"type": "string", "enum": [source.table for source in sources()]}


def batch_request() -> dict[str, Any]:
    """Return the schema of an envelope, in both its forms."""
    tagged = {
        "type": "object",
        "required": ["table", "data"],
        "additionalProperties": False,
        "properties": {"table": _table_name(), "ref": _NAME, "group": _NAME, "data": _RECORD},
    }
    forms: list[dict[str, Any]] = [
        {
            "title": "one table",
            "required": ["table", "records"],
            "properties": {"table": _table_name(), "records": _records(_RECORD)},
        },
        {"title": "several tables", "required": ["records"], "properties": {"records": _records(tagged)}},
    ]
    return {
        "oneOf": [
            {"type": "object", "additionalProperties": False, **form, "properties": {**form["properties"], **_OPTIONS}}
            for form in forms
        ]
    }


def problems(*statuses: int) -> dict[Any, Any]:
    """Return the responses of faults, in the words of batches and rejects."""
    return openapi.problem_responses(*statuses, said=_PROBLEMS)


_CARRIED_OUT: list[int | str] = [200, 201, 207, 422]
_FORGE_REJECTED = header("Forge-Rejected", OpenApiTypes.INT, _CARRIED_OUT, "How many records were rejected.")
_LOCATION = header("Location", OpenApiTypes.STR, _CARRIED_OUT, "Of the batch; a dry run has none.")
_NUMBER = OpenApiParameter("number", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)
_IN_ADDRESS = [
    OpenApiParameter(name, {**schema}, description="For NDJSON and CSV; JSON says it in the body.")
    for name, schema in {"table": _table_name(), **_OPTIONS}.items()
]
_OF_TEXT = [
    OpenApiParameter(
        "null",
        {"type": "string", "minLength": 1, "maxLength": null_words.MAX_CHARACTERS, "pattern": null_words.PATTERN},
        description="For CSV: the word that, without quotes, is null wherever null may be, such as `\\N` or `NA`; "
        "`none`: no word is.",
    ),
    OpenApiParameter(
        "times",
        {"type": "string", "enum": list(TIMES)},
        description="For CSV: what zones in its times are. wall: stamps on wall-clock times, which are taken off "
        "(counted as wall_time). instant, and without it: meant; each is stored as the local time of its instant.",
    ),
]

posts_batch = extend_schema(
    operation_id="post_batch",
    tags=["batches"],
    parameters=[*_IN_ADDRESS, *_OF_TEXT, _FORGE_REJECTED, _LOCATION, *changes_something(*_CARRIED_OUT)],
    request={JSON: batch_request()},
    responses={
        (200, JSON): OpenApiResponse(AnswerSerializer, "Nothing new: all unchanged or duplicate; or a dry run."),
        (201, JSON): OpenApiResponse(AnswerSerializer, "Every record was accepted."),
        (207, JSON): OpenApiResponse(AnswerSerializer, "Some records were accepted, some rejected."),
        (422, JSON): OpenApiResponse(AnswerSerializer, "No record was accepted."),
        **problems(*_ALL),
    },
    examples=[
        OpenApiExample(source.table, example_batch(source), request_only=True, media_type=JSON) for source in sources()
    ],
)
lists_batches = extend_schema(
    operation_id="list_batches",
    tags=["batches"],
    parameters=[BatchFilters, CURSOR, RETRY_AFTER],
    responses={(200, JSON): page_of(BatchAccountSerializer, "Batch"), **problems(400, 404)},
)
shows_batch = extend_schema(
    operation_id="show_batch",
    tags=["batches"],
    parameters=[RETRY_AFTER],
    responses={(200, JSON): BatchAccountSerializer, **problems(404)},
)
lists_rejects = extend_schema(
    operation_id="list_rejects",
    tags=["rejects"],
    parameters=[RejectFilters, CURSOR, RETRY_AFTER],
    responses={(200, JSON): page_of(RejectSerializer, "Reject"), **problems(400, 404)},
)
shows_reject = extend_schema(
    operation_id="show_reject",
    tags=["rejects"],
    parameters=[_NUMBER, RETRY_AFTER],
    responses={(200, JSON): RejectSerializer, **problems(404)},
)
replays_reject = extend_schema(
    operation_id="replay_reject",
    tags=["rejects"],
    parameters=[_NUMBER, _FORGE_REJECTED, _LOCATION, *changes_something(*_CARRIED_OUT)],
    request={
        JSON: {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "record": {"type": "object", "description": "The record, corrected; without it, as it came."},
                "on_conflict": _OPTIONS["on_conflict"],
            },
        }
    },
    responses={
        (200, JSON): OpenApiResponse(AnswerSerializer, "It was there already; the reject is closed."),
        (201, JSON): OpenApiResponse(AnswerSerializer, "Accepted; the reject is closed."),
        (207, JSON): OpenApiResponse(AnswerSerializer, "Of a group, some were there already."),
        (422, JSON): OpenApiResponse(AnswerSerializer, "Rejected again, with these reasons."),
        **problems(400, 403, 404, 409, 411, 413, 415, 422),
    },
)
lists_tables = extend_schema(
    operation_id="list_tables",
    tags=["tables"],
    parameters=[RETRY_AFTER],
    responses={(200, JSON): TableSummarySerializer, **problems()},
)
shows_table = extend_schema(
    operation_id="show_table",
    tags=["tables"],
    parameters=[OpenApiParameter("table", _table_name(), OpenApiParameter.PATH), RETRY_AFTER],
    responses={(200, JSON): TableSerializer, **problems(404)},
)


def add_records(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Add every table's record to the document: a hook of drf-spectacular."""
    for source in sources():
        schema = json_schema(source.contract)
        schema.pop("$schema")
        result["components"]["schemas"][source.table] = schema
    post = result["paths"]["/api/v1/batches/"]["post"]
    lines = {"type": "string", "minLength": 1, "description": _LINES}
    post["requestBody"]["content"] |= {media_type: {"schema": lines} for media_type in (NDJSON, CSV)}
    post["requestBody"]["required"] = True
    return result


_LINES = (
    "Records of the table that ?table= names: one JSON object a line, or a header and lines of CSV. CSV is cut like a "
    "file of a load: the header once more and lines of nothing but commas and white space are skipped (they are "
    "counted in the account, and are none of the 1,000 records), and a byte-order mark before a record is taken off. "
    "The index of a record counts records, not lines."
)
