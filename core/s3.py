"""S3 as the environment names it, and what its faults mean. Credentials come by the AWS SDK's usual chain.

``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` names another server than Amazon's, ``AWS_REGION`` or
``AWS_DEFAULT_REGION`` the region.
"""

import os
from urllib.parse import urlsplit

from pyarrow import fs

CONNECT_TIMEOUT_SECONDS = 3
REQUEST_TIMEOUT_SECONDS = 30
MAX_ATTEMPTS = 3

# What the SDK calls a fault -> what is wrong, what to do.
_FAULTS = {
    "NO_SUCH_BUCKET": ("the bucket does not exist", "Check its name, and AWS_REGION."),
    "NO_SUCH_KEY": ("is not there", "Look for it in the bucket."),
    "ACCESS_DENIED": ("access denied", "Give these credentials s3:ListBucket and s3:GetObject."),
    "INVALID_ACCESS_KEY_ID": ("the access key is unknown", "Check AWS_ACCESS_KEY_ID."),
    "SIGNATURE_DOES_NOT_MATCH": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "NETWORK_CONNECTION": ("S3 cannot be reached", "Check the connection, AWS_ENDPOINT_URL and AWS_REGION."),
}

type Fault = tuple[str, str]


def connect() -> fs.S3FileSystem:
    """Return the file system that the environment names; nothing is asked of it yet."""
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


def fault(error: Exception, **other: Fault) -> Fault | None:
    """Say what is wrong and what to do, where the SDK names the fault; ``other`` says it otherwise, by that name."""
    for name, known in _FAULTS.items():
        if f"AWS Error {name} " in str(error):
            return other.get(name, known)
    return None
