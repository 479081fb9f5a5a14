"""What the published OpenAPI document says of each operation."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from backups.api.serializers import (
    ALL,
    BackupFilters,
    BackupRunSerializer,
    BackupSerializer,
    RestoreFilters,
    RestoreSerializer,
)
from backups.files.named_stores import DEFAULT, NAME_PATTERN
from backups.models import NAME_LENGTH, Restore
from core.web import openapi
from core.web.openapi import CURSOR, RETRY_AFTER, changes_something, header, page_of
from core.web.request_bodies import JSON

_WRITING = (400, 403, 404, 409, 411, 413, 415, 422)
_SAID = {
    409: "The Idempotency-Key is in flight, or the backup has no file (yet, or any more): its status says why.",
    422: "It cannot be done: the problem says why, and Location where that is kept. Or the key was used for another "
    "request.",
}
_LOCATION = header("Location", OpenApiTypes.STR, [202, 422, 503], "Where its state is kept.")
_TABLE = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}
_FLAG = {"type": "boolean", "default": False}


def problem_responses(*statuses: int) -> dict[Any, Any]:
    """Return the responses of faults, in the words of backups."""
    return openapi.problem_responses(403, *statuses, said=_SAID)


def _body(required: tuple[str, ...] = (), **members: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"required": list(required)} if required else {}
    return {JSON: {"type": "object", "additionalProperties": False, "properties": members, **asked}}


posts_backup = extend_schema(
    operation_id="post_backup",
    tags=["backups"],
    parameters=[_LOCATION, *changes_something(202, 422)],
    request=_body(
        ("tables",),
        tables={
            "oneOf": [
                {"type": "string", "enum": [ALL]},
                {"type": "array", "minItems": 1, "maxItems": 1000, "items": _TABLE},
            ],
            "description": "Names as in the database, without their app, or app.Model; all: as --all of the command.",
        },
        store={
            "type": "string",
            "pattern": f"^{NAME_PATTERN}$",
            "default": DEFAULT,
            "description": "The name of a store of the settings, where the files go; never a place.",
        },
    ),
    responses={
        (202, JSON): OpenApiResponse(BackupRunSerializer, "It is queued, or done already: see status."),
        **problem_responses(*_WRITING),
    },
    examples=[OpenApiExample("two tables", {"tables": ["orders", "order_items"]}, request_only=True, media_type=JSON)],
)
lists_backups = extend_schema(
    operation_id="list_backups",
    tags=["backups"],
    parameters=[BackupFilters, CURSOR, RETRY_AFTER],
    responses={(200, JSON): page_of(BackupSerializer, "Backup"), **problem_responses(400, 404)},
)
shows_backup = extend_schema(
    operation_id="show_backup",
    tags=["backups"],
    parameters=[RETRY_AFTER],
    responses={(200, JSON): BackupSerializer, **problem_responses(404)},
)
verifies_backup = extend_schema(
    operation_id="verify_backup",
    tags=["backups"],
    parameters=[_LOCATION, *changes_something(202, 422)],
    request=_body(drill={**_FLAG, "description": "Also restore it into a scratch table and compare."}),
    responses={
        (202, JSON): OpenApiResponse(BackupSerializer, "It is queued, or done already: see verified_at."),
        **problem_responses(*_WRITING),
    },
)
restores_backup = extend_schema(
    operation_id="restore_backup",
    tags=["backups"],
    parameters=[_LOCATION, *changes_something(202, 422)],
    request=_body(
        mode={"type": "string", "enum": Restore.Mode.values, "description": "Without it: what fits the difference."},
        with_children={**_FLAG, "description": "Also the tables that refer to it, from the same snapshot."},
        dry_run={**_FLAG, "description": "Say what would change; change nothing."},
    ),
    responses={
        (202, JSON): OpenApiResponse(RestoreSerializer, "It is queued, or done already: see status."),
        **problem_responses(*_WRITING),
    },
    examples=[OpenApiExample("dry run", {"dry_run": True}, request_only=True, media_type=JSON)],
)
lists_restores = extend_schema(
    operation_id="list_restores",
    tags=["backups"],
    parameters=[RestoreFilters, CURSOR, RETRY_AFTER],
    responses={(200, JSON): page_of(RestoreSerializer, "Restore"), **problem_responses(400, 404)},
)
shows_restore = extend_schema(
    operation_id="show_restore",
    tags=["backups"],
    parameters=[RETRY_AFTER],
    responses={(200, JSON): RestoreSerializer, **problem_responses(404)},
)


def require_bodies(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Say that to back up needs a body, the others none: a hook of drf-spectacular, which has no word for it."""
    result["paths"]["/api/v1/backups/"]["post"]["requestBody"]["required"] = True
    return result
