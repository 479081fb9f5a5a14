"""The published schema as schemathesis reads it, and random calls by it."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from dataforge.wsgi import application

HOST = "https://localhost"

type Case = schemathesis.Case[Any]


def published(config: SchemathesisConfig) -> BaseSchema:
    """Read the schema as a client does."""
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, base_url=HOST, config=config)


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


def is_sound(case: Case, where: ParameterLocation) -> bool:
    """Tell whether one part of a request is meant to agree with the schema."""
    found = case.meta.components.get(where) if case.meta else None
    return found is None or found.mode.is_positive


def call_all(schema: BaseSchema, aim: Callable[[Case], None], subtests: pytest.Subtests) -> set[tuple[str, int]]:
    """Make random calls of each operation and check each answer; return operations with the statuses that they gave."""
    statuses: set[tuple[str, int]] = set()

    def check(case: Case) -> None:
        aim(case)
        response = case.call(base_url=HOST)
        statuses.add((case.operation.label, response.status_code))
        case.validate_response(response)

    for found in get_all_tests(schema=schema, test_func=check, settings=None, given_kwargs={}):
        assert isinstance(found, Ok)
        operation, run = found.ok()
        with subtests.test(operation.label):
            run()
    return statuses
