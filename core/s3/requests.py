"""Requests that pyarrow has no word for, by botocore: open uploads, single keys, and what lies behind a bare refusal.

botocore finds credentials where pyarrow's SDK does, and signs likewise. It is loaded only when one of these is made.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from core.s3.answers import NO_ANSWER_OF_S3, NO_HOST, NO_TLS, UNREACHABLE, UNTRUSTED, Refused, ServerAnswer
from core.s3.connection import CONNECT_TIMEOUT_SECONDS, MAX_ATTEMPTS, REQUEST_TIMEOUT_SECONDS
from core.s3.endpoint import endpoint, region

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenUpload:
    """An upload in parts that was begun, and neither finished nor given up."""

    key: str
    id: str
    begun_at: datetime


@dataclass(frozen=True)
class FolderKey:
    """An object of no bytes whose key ends with a slash, which programs take for a folder."""

    key: str
    made_at: datetime


class Bucket:
    """One bucket. All methods raise ``Refused``; SourceUnreadable where the environment names no server."""

    def __init__(self, name: str, *, patient: bool = True) -> None:
        """Nothing is asked yet. ``patient``: ask again where the server is busy."""
        self.name = name
        self._client = _client(MAX_ATTEMPTS if patient else 1)

    def open_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """Yield the open uploads to keys below ``prefix``; none of a server that cannot list them."""
        try:
            for page in self._pages("list_multipart_uploads", prefix):
                for upload in page.get("Uploads", ()):
                    yield OpenUpload(upload["Key"], upload["UploadId"], upload["Initiated"])
        except Refused as refused:
            if not refused.answer.is_unknown_operation:
                raise
            log.warning("the server of bucket %s does not list open uploads", self.name)

    def abort(self, upload: OpenUpload) -> None:
        """Give an upload up, with all its parts; nothing where it is gone."""
        try:
            self.ask("abort_multipart_upload", Key=upload.key, UploadId=upload.id)
        except Refused as refused:
            if refused.answer.code != "NoSuchUpload":
                raise

    def folder_keys(self, prefix: str) -> Iterator[FolderKey]:
        """Yield the keys below ``prefix`` that stand for folders."""
        for page in self._pages("list_objects_v2", prefix):
            for found in page.get("Contents", ()):
                if found["Key"].endswith("/") and not found["Size"]:
                    yield FolderKey(found["Key"], found["LastModified"])

    def delete(self, key: str) -> None:
        """Delete one object, if it is there, and leave nothing in its place.

        pyarrow's ``delete_file`` would make an object ``folder/`` where the last file of one goes.
        """
        self.ask("delete_object", Key=key)

    def ask(self, operation: str, **options: Any) -> Any:
        """Send one request, of which ``operation`` is botocore's name; return what botocore makes of the answer."""
        method = getattr(self._client, operation)
        with _refusals(self._client.meta.method_to_api_mapping[operation]):
            return method(Bucket=self.name, **options)

    def _pages(self, operation: str, prefix: str) -> Iterator[dict[str, Any]]:
        with _refusals(self._client.meta.method_to_api_mapping[operation]):
            yield from self._client.get_paginator(operation).paginate(Bucket=self.name, Prefix=prefix)


def _client(attempts: int) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    server = endpoint()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=REQUEST_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path"} if server.url else {},
    )
    with _refusals(""):
        session = Session()
        session.register_component("data_loader", _descriptions())
        client = session.create_client("s3", region_name=region(), endpoint_url=server.url or None, config=config)
    client.meta.events.register("response-received.s3", _stop_at_a_refusal)
    return client


@cache
def _descriptions() -> Any:
    """Return what reads the descriptions of S3, once for all clients: it takes longer than all else of one."""
    from botocore.loaders import create_loader

    return create_loader()


def _stop_at_a_refusal(event_name: str, parsed_response: dict[str, Any] | None = None, **_: Any) -> None:
    """Raise what the server answered first: botocore would follow a redirection to other regions, without an end.

    What may go well when it is tried again is left to it.
    """
    if parsed_response and 300 <= parsed_response["ResponseMetadata"]["HTTPStatusCode"] < 500:
        raise Refused(_answer(event_name.rpartition(".")[2], parsed_response))


def _answer(operation: str, response: dict[str, Any]) -> ServerAnswer:
    facts, error = response["ResponseMetadata"], response.get("Error", {})
    code = str(error.get("Code", ""))
    return ServerAnswer(
        operation=operation,
        status=facts["HTTPStatusCode"],
        code="" if code.isdigit() else code,  # botocore's own, where the server gave none
        words=str(error.get("Message", "")),
        region=str(error.get("Region") or facts.get("HTTPHeaders", {}).get("x-amz-bucket-region", "")),
    )


@contextmanager
def _refusals(operation: str) -> Iterator[None]:
    """Raise what botocore finds as ``Refused``."""
    from botocore import exceptions as found
    from botocore.parsers import ResponseParserError

    try:
        yield
    except found.ClientError as error:
        raise Refused(_answer(operation, error.response)) from error
    except ResponseParserError as error:
        raise Refused(ServerAnswer(operation=operation, status=NO_ANSWER_OF_S3)) from error
    except found.SSLError as error:
        plain = "WRONG_VERSION_NUMBER" in str(error)
        raise Refused(ServerAnswer(operation=operation, lost=NO_TLS if plain else UNTRUSTED)) from error
    except found.EndpointConnectionError as error:
        unnamed = "resolve" in str(error.kwargs.get("error", ""))
        raise Refused(ServerAnswer(operation=operation, lost=NO_HOST if unnamed else UNREACHABLE)) from error
    except (found.HTTPClientError, found.ConnectionError) as error:
        raise Refused(ServerAnswer(operation=operation, lost=UNREACHABLE)) from error
    except found.BotoCoreError as error:  # of the credentials, before anything was sent
        raise Refused(ServerAnswer(operation=operation, code=type(error).__name__, words=str(error))) from error
