"""What is wrong with S3, and what to do: one sentence for each answer, in our own words."""

import re
from dataclasses import replace

from core.s3.answers import (
    NO_ANSWER_OF_S3,
    NO_HOST,
    NO_TLS,
    TLS_ONLY,
    UNREACHABLE,
    UNTRUSTED,
    Refused,
    ServerAnswer,
    answer_of,
)
from core.s3.endpoint import S3, region, setting
from core.s3.requests import Bucket

type Fault = tuple[str, str]

MISSING = "NoSuchKey"
# The right that each operation needs, for the thing that it is about.
_RIGHTS = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "GetObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "CompleteMultipartUpload": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "PutObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
}
_NAMED_RIGHT = re.compile(r"perform: ([a-z0-9-]+:[A-Za-z]+)")
_NO_CREDENTIALS = (
    "there are no credentials for S3",
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.",
)
_SESSION_OVER = (
    "the session of these credentials has ended",
    "Get new ones: AWS_SESSION_TOKEN goes with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
)
_BY_CODE: dict[str, Fault] = {
    "NoSuchBucket": ("the bucket does not exist", "Check its name, and AWS_REGION."),
    "InvalidBucketName": ("the bucket's name is none that S3 takes", "Write s3://bucket/prefix."),
    "ParamValidationError": ("the bucket's name is none that S3 takes", "Write s3://bucket/prefix."),
    MISSING: ("is not there", "Look for it in the bucket."),
    "InvalidAccessKeyId": ("the access key is unknown", "Check AWS_ACCESS_KEY_ID."),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "InvalidToken": ("the session token is wrong", "Check AWS_SESSION_TOKEN."),
    "ExpiredToken": _SESSION_OVER,
    "TokenRefreshRequired": _SESSION_OVER,
    "RequestTimeTooSkewed": ("the server's clock and this machine's differ", "Set this machine's clock right."),
    "InvalidObjectState": ("is in an archive, from which it cannot be read", "Have S3 restore the object first."),
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "ProfileNotFound": ("there is no such profile of credentials", "Check AWS_PROFILE."),
    "InvalidRegionError": ("the region is none", "Check AWS_REGION."),
}
_ELSEWHERE = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "InvalidRegion",
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)


def fault(error: Exception, address: str = "", **other: Fault) -> Fault | None:
    """Say what is wrong and what to do; None where ``error`` is none of S3.

    ``address`` (``s3://bucket/key``) is what it is about: the server is asked once more where it gave no reason.
    ``other`` says some of it otherwise, by S3's codes.
    """
    remote = address.startswith(S3)
    answer = answer_of(error)
    if answer is None or (isinstance(error, FileNotFoundError) and not remote):
        return None
    unclear = not answer.code or (answer.code in _ELSEWHERE and not answer.region)
    if unclear and not answer.lost and answer.status != NO_ANSWER_OF_S3 and remote:
        answer = _with_reason(answer, address)
    return other.get(answer.code) or _said(answer)


def _said(answer: ServerAnswer) -> Fault:
    for of_kind in (_of_connection, _of_code, _of_region, _of_rights, _of_server):
        if known := of_kind(answer):
            return known
    if not answer.status and not answer.code:
        return (
            f"the server's answer to {answer.operation} is none of S3's",
            f"Check {setting()}, or use another server.",
        )
    code = f"the S3 code {answer.code}" if answer.code else "no S3 code"
    return (
        f"the server answered {answer.operation} with HTTP {answer.status or '(?)'} and {code}",
        f"Look for it in the server's documentation or log, and check {setting()}.",
    )


def _of_connection(answer: ServerAnswer) -> Fault | None:
    if not answer.lost:
        return None
    where = f"Check the connection, {setting()} and AWS_REGION."
    return {
        NO_HOST: ("S3 cannot be reached: there is no host of that name", f"Check {setting()} and AWS_REGION."),
        NO_TLS: (
            "S3 cannot be reached: the server speaks no TLS, and is asked by https",
            f"Write {setting()} with http://, or its TLS port.",
        ),
        TLS_ONLY: ("S3 cannot be reached: the server does not answer in HTTP", f"Write {setting()} with https://."),
        UNTRUSTED: (
            "S3 cannot be reached: nobody that this machine trusts vouches for the server's certificate",
            f"Check {setting()}, and name the server's authorities in AWS_CA_BUNDLE.",
        ),
        UNREACHABLE: ("S3 cannot be reached", where),
    }[answer.lost]


def _of_code(answer: ServerAnswer) -> Fault | None:
    return _BY_CODE.get(answer.code)


def _of_region(answer: ServerAnswer) -> Fault | None:
    if answer.code not in _ELSEWHERE and not 300 <= answer.status < 400:
        return None
    if not answer.region:
        return "the bucket lies in another region, or elsewhere", f"Check AWS_REGION and {setting()}."
    asked = f", and AWS_REGION is {region()}" if region() else ""
    return f"the bucket lies in the region {answer.region}{asked}", f"Set AWS_REGION to {answer.region}."


def _of_rights(answer: ServerAnswer) -> Fault | None:
    if answer.code != "AccessDenied" and (answer.code or answer.status not in (401, 403)):
        return None
    named = _NAMED_RIGHT.search(answer.words)
    right = named[1] if named else _RIGHTS.get(answer.operation, f"to {answer.operation}")
    return "access denied", f"Give these credentials the right {right}."


def _of_server(answer: ServerAnswer) -> Fault | None:
    if answer.status == NO_ANSWER_OF_S3:
        return "what answers there is no S3", f"Check {setting()}."
    if answer.is_unknown_operation:
        return f"the server does not know {answer.operation}", "Use a server that knows all of S3."
    if answer.status >= 500 or answer.code in ("SlowDown", "ServiceUnavailable", "InternalFailure", "Throttling"):
        return (
            f"the server cannot answer now ({answer.code or f'HTTP {answer.status}'})",
            "Run it again later, and look into the server's log.",
        )
    return None


def _with_reason(answer: ServerAnswer, address: str) -> ServerAnswer:
    """Ask once more, in a way that has room for a reason: HEAD has none, and pyarrow does not pass on all of them."""
    bucket, _, key = address.removeprefix(S3).partition("/")
    of_object = answer.operation in ("HeadObject", "GetObject")
    missing = of_object and answer.status == 404
    again = _read if of_object and key and not missing else _listed
    try:
        again(Bucket(bucket, patient=False), key)
    except Refused as refused:
        known = refused.answer.code or refused.answer.lost or refused.answer.status == NO_ANSWER_OF_S3
        return refused.answer if known else answer
    return replace(answer, code=MISSING) if missing else answer


def _listed(bucket: Bucket, key: str) -> None:
    found = bucket.ask("list_objects_v2", Prefix=key, MaxKeys=1)
    if "Name" not in found:  # botocore finds nothing wrong with a page of HTML
        raise Refused(ServerAnswer(operation="ListObjectsV2", status=NO_ANSWER_OF_S3))


def _read(bucket: Bucket, key: str) -> None:
    bucket.ask("get_object", Key=key)["Body"].close()
