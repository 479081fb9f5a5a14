"""A prefix on S3 as a location. Credentials come by the usual chain of the AWS SDK, never from us."""

import os
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pyarrow import fs

from dataforge.errors import SourceUnreadable
from ingest.readers.streams import SourceStream, missing, unreadable

CONNECT_TIMEOUT_SECONDS = 3
REQUEST_TIMEOUT_SECONDS = 30
MAX_ATTEMPTS = 3

# What the SDK calls a fault -> what is wrong, what to do.
_FAULTS = {
    "NO_SUCH_BUCKET": ("the bucket does not exist", "Check its name, and AWS_REGION."),
    "NO_SUCH_KEY": ("is not there any more", "Put the file there again."),
    "ACCESS_DENIED": ("access denied", "Give these credentials s3:ListBucket and s3:GetObject."),
    "INVALID_ACCESS_KEY_ID": ("the access key is unknown", "Check AWS_ACCESS_KEY_ID."),
    "SIGNATURE_DOES_NOT_MATCH": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "NETWORK_CONNECTION": ("S3 cannot be reached", "Check the connection, AWS_ENDPOINT_URL and AWS_REGION."),
}


class BucketPrefix:
    """The objects directly under ``s3://bucket/prefix``.

    ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` names another server than Amazon's, ``AWS_REGION`` or
    ``AWS_DEFAULT_REGION`` the region.
    """

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("s3://").strip("/")
        if not self._path:
            raise SourceUnreadable(path=url, problem="names no bucket", remedy="Write s3://bucket/prefix.")
        try:
            self._files = _connect()
            found = self._files.get_file_info(fs.FileSelector(self._path))
        except FileNotFoundError as error:
            problem, remedy = "there is nothing under this prefix", "Check bucket and prefix."
            raise SourceUnreadable(path=f"s3://{self._path}", problem=problem, remedy=remedy) from error
        except (OSError, ValueError) as error:
            raise _explain(f"s3://{self._path}", error) from error
        self._sizes = {info.base_name: info.size for info in found if info.type == fs.FileType.File}

    def has(self, file_name: str) -> bool:
        return file_name in self._sizes

    def size(self, file_name: str) -> int:
        if file_name not in self._sizes:
            raise missing(self.describe(file_name), self._sizes)
        return self._sizes[file_name]

    def open(self, file_name: str) -> SourceStream:
        self.size(file_name)
        path = self.describe(file_name)
        try:
            return SourceStream(self._files.open_input_stream(path.removeprefix("s3://")), path=path, explain=_explain)
        except OSError as error:
            raise _explain(path, error) from error

    def describe(self, file_name: str) -> str:
        return f"s3://{PurePosixPath(self._path) / file_name}"


def _connect() -> fs.S3FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    return fs.S3FileSystem(
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        scheme="http" if parts.scheme == "http" else "https",
        endpoint_override=parts.netloc or None,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        request_timeout=REQUEST_TIMEOUT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS),
    )


def _explain(path: str, error: Exception) -> SourceUnreadable:
    for name, (problem, remedy) in _FAULTS.items():
        if f"AWS Error {name} " in str(error):
            return SourceUnreadable(path=path, problem=problem, remedy=remedy)
    return unreadable(path, error)
