"""What a server answered to a request that did not go well, as far as whoever sent it lets one know."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ServerAnswer:
    """``operation`` as S3 names it. ``status`` is HTTP's, ``code`` S3's; 0 and empty where they are not known.

    ``words`` are the server's own, ``region`` is where it says that the bucket lies. ``lost`` tells how the connection
    failed, where there was no answer: one of ``LOST``.
    """

    operation: str
    status: int = 0
    code: str = ""
    words: str = ""
    region: str = ""
    lost: str = ""

    @property
    def is_unknown_operation(self) -> bool:
        """Tell that the server has no such operation, in S3's words or only in HTTP's."""
        return self.code in ("NotImplemented", "MethodNotAllowed") or self.status in (405, 501)


class Refused(OSError):
    """A request of our own that did not go well."""

    def __init__(self, answer: ServerAnswer) -> None:
        super().__init__(f"{answer.operation}: HTTP {answer.status} {answer.code}")
        self.answer = answer


NO_HOST, NO_TLS, UNTRUSTED, TLS_ONLY, UNREACHABLE = LOST = ("no host", "no TLS", "untrusted", "TLS only", "unreachable")
NO_ANSWER_OF_S3 = -1  # the status where what came can be read as no answer of S3 at all

_CURL = {"6": NO_HOST, "51": UNTRUSTED, "60": UNTRUSTED, "77": UNTRUSTED, "1": TLS_ONLY}
_CURL_CODE = re.compile(r"curlCode: (\d+)")
_OF_PYARROW = re.compile(
    r"AWS Error (?:(?P<name>[A-Z][A-Z0-9_]*)|\[code \d+\])(?: \(HTTP status (?P<status>-?\d+)\))?"
    r" during (?P<operation>\w+) operation: (?P<words>.*)",
    re.DOTALL,
)
_UNPARSED = re.compile(r"Unable to parse ExceptionName: (\S+) Message: ?(.*)", re.DOTALL)


def answer_of(error: Exception) -> ServerAnswer | None:
    """Return the answer that an error stands for; None where it is none of S3."""
    if isinstance(error, Refused):
        return error.answer
    if isinstance(error, FileNotFoundError):
        return ServerAnswer(operation="HeadObject", status=404)
    found = _OF_PYARROW.search(str(error))
    return None if found is None else _of_pyarrow(found)


def _of_pyarrow(found: re.Match[str]) -> ServerAnswer:
    name, words, operation = found["name"] or "UNKNOWN", found["words"], found["operation"]
    if name == "NETWORK_CONNECTION":
        return ServerAnswer(operation=operation, words=words, lost=_lost(words))
    if unparsed := _UNPARSED.search(words):
        return ServerAnswer(operation=operation, status=int(found["status"] or 0), code=unparsed[1], words=unparsed[2])
    # Without a body the SDK makes a code of the status; one that is longer than the bytes asked for, it loses.
    known = name != "UNKNOWN" and "No response body" not in words and "Failed to flush response stream" not in words
    code = "".join(word.capitalize() for word in name.split("_")) if known else ""
    return ServerAnswer(
        operation=operation, status=int(found["status"] or 0) or _STATUS.get(name, 0), code=code, words=words
    )


_STATUS = {"ACCESS_DENIED": 403}


def _lost(words: str) -> str:
    code = _CURL_CODE.search(words)
    if "wrong version number" in words:
        return NO_TLS
    return _CURL.get(code[1], UNREACHABLE) if code else UNREACHABLE
