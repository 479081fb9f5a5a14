"""The file system that reads and writes objects: pyarrow's."""

import os

from pyarrow import fs

from core.s3.endpoint import endpoint, region

CONNECT_TIMEOUT_SECONDS = 3
REQUEST_TIMEOUT_SECONDS = 30
MAX_ATTEMPTS = 3


def connect() -> fs.S3FileSystem:
    """Return the file system that the environment names; nothing is asked of it yet.

    SourceUnreadable where the environment names no server.
    """
    server = endpoint()
    return fs.S3FileSystem(
        region=region(),
        scheme="http" if server.scheme == "http" else "https",
        endpoint_override=server.place or None,
        # As botocore reads it by itself; the stubs of pyarrow do not know this yet.
        tls_ca_file_path=os.environ.get("AWS_CA_BUNDLE") or None,  # type: ignore[call-arg]
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        request_timeout=REQUEST_TIMEOUT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS),
    )
