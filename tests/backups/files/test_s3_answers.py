"""Whatever a server answers, a store says in one sentence what is wrong, and which setting it is."""

import socket
from collections.abc import Callable
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from werkzeug.wrappers import Request, Response

from backups.files.store import Store
from core.errors import SourceUnreadable
from tests.support.aws.certificates import Authority
from tests.support.aws.moto import name_by_environment
from tests.support.aws.servers import Application, error, operation, served

DEEDS: dict[str, tuple[Callable[[Store], object], str]] = {
    "list": (lambda store: store.names(needed=True), "ListObjectsV2"),
    "read": (lambda store: store.read("x"), "GetObject"),
    "write": (lambda store: store.write("x", b"y"), "CreateMultipartUpload"),
    "delete": (lambda store: store.remove("x"), "DeleteObject"),
}
PLACE = "s3://safe/nightly"
ELSEWHERE = "the bucket lies in the region eu-north-1, and AWS_REGION is us-east-1. Set AWS_REGION to eu-north-1."


def said(deed: str, server: Application, monkeypatch: pytest.MonkeyPatch, *, scheme: str = "http") -> str:
    """Do something with a store on that server, which cannot be done, and return what is said."""
    with served(server) as place:
        name_by_environment(monkeypatch, f"{scheme}://{place}")
        with pytest.raises(SourceUnreadable) as refused:
            DEEDS[deed][0](Store(PLACE))
    told = str(refused.value)
    assert told.startswith(PLACE)
    assert "AWS Error" not in told
    assert "Words of the server" not in told
    assert "\n" not in told
    return told


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (error(404, "NoSuchBucket"), "the bucket does not exist. Check its name, and AWS_REGION."),
        (error(403, "InvalidAccessKeyId"), "the access key is unknown. Check AWS_ACCESS_KEY_ID."),
        (error(403, "SignatureDoesNotMatch"), "the secret key is wrong. Check AWS_SECRET_ACCESS_KEY."),
        (error(400, "ExpiredToken"), "the session of these credentials has ended. Get new ones: AWS_SESSION_TOKEN"),
        (error(301, "PermanentRedirect", x_amz_bucket_region="eu-north-1"), ELSEWHERE),
        (error(400, "AuthorizationHeaderMalformed", region="eu-north-1"), ELSEWHERE),
        (
            error(301, "PermanentRedirect"),
            "the bucket lies in another region, or elsewhere. Check AWS_REGION and AWS_ENDPOINT_URL.",
        ),
        (
            error(403, "AccessDenied", words="perform: kms:Decrypt on x"),
            "Give these credentials the right kms:Decrypt.",
        ),
        (error(501, "NotImplemented"), "Use a server that knows all of S3."),
        (error(418, "ImATeapot"), "with HTTP 418 and the S3 code ImATeapot. Look for it in the server's documentation"),
        (Response("<html>no</html>", status=400), "with HTTP 400 and no S3 code. Look for it in the server's doc"),
    ],
)
def test_an_answer_is_said_in_our_words(
    deed: str, answer: Response, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Response(status=answer.status)  # HEAD has no body that could give a reason

    def server(environ: dict[str, object], start_response: object) -> object:
        return (bare if environ["REQUEST_METHOD"] == "HEAD" else answer)(environ, start_response)  # type: ignore[arg-type]

    assert sentence in said(deed, server, monkeypatch)


@pytest.mark.parametrize("deed", ["list", "delete"])
def test_a_server_that_is_busy_is_one_to_be_asked_later(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.s3.connection.MAX_ATTEMPTS", 1)
    monkeypatch.setattr("core.s3.requests.MAX_ATTEMPTS", 1)
    told = said(deed, error(503, "SlowDown"), monkeypatch)
    assert told.endswith("the server cannot answer now (SlowDown). Run it again later, and look into the server's log.")


@pytest.mark.parametrize(("deed", "right"), [("list", "List"), ("read", "Get"), ("write", "Put"), ("delete", "Delete")])
def test_the_right_that_is_missing_is_named(deed: str, right: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = said(deed, error(403, "AccessDenied"), monkeypatch)
    thing = "Bucket" if deed == "list" else "Object"
    assert told.endswith(f": access denied. Give these credentials the right s3:{right}{thing}.")


@pytest.mark.parametrize("deed", ["list", "write"])
def test_what_answers_everything_alike_is_no_s3(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = said(deed, Response("<html>log in</html>", content_type="text/html"), monkeypatch)
    assert "what answers there is no S3. Check AWS_ENDPOINT_URL." in told or "gives back other bytes" in told


@pytest.mark.parametrize("deed", DEEDS)
def test_https_to_a_server_without_tls_is_named(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = said(deed, error(404, "NoSuchKey"), monkeypatch, scheme="https")
    assert "the server speaks no TLS, and is asked by https. Write AWS_ENDPOINT_URL with http://" in told


@pytest.mark.parametrize("deed", ["list", "delete"])
def test_a_server_that_is_not_there_is_named(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        name_by_environment(monkeypatch, f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(SourceUnreadable, match="S3 cannot be reached"):
            DEEDS[deed][0](Store(PLACE))


def test_without_credentials_their_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name_by_environment(monkeypatch, "http://127.0.0.1:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(
        SourceUnreadable, match=r"no credentials for S3\. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ):
        DEEDS["delete"][0](Store(PLACE))


@pytest.mark.parametrize("deed", ["read", "delete"])
def test_a_certificate_counts_where_its_authority_is_named(
    deed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority("of a test")
    pair = authority.vouch("localhost")
    for name, content in (("ca", authority.certificate), ("crt", pair.certificate), ("key", pair.key)):
        (tmp_path / name).write_bytes(content)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    with served(error(404, "NoSuchBucket"), tls) as place:
        name_by_environment(monkeypatch, f"https://{place.replace('127.0.0.1', 'localhost')}")
        with pytest.raises(SourceUnreadable, match=r"nobody that this machine trusts vouches .* AWS_CA_BUNDLE"):
            DEEDS[deed][0](Store(PLACE))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca"))
        with pytest.raises(SourceUnreadable, match="the bucket does not exist"):
            DEEDS[deed][0](Store(PLACE))


def keeper(kept: dict[str, bytes], change: Callable[[bytes], bytes]) -> Application:
    """Return a server that keeps what it is sent, but for what ``change`` makes of it."""

    def answer(request: Request) -> Response:
        asked, key = operation(request), request.path
        if asked == "CreateMultipartUpload":
            return Response("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        if asked == "UploadPart":
            kept[key] = change(request.get_data())
            return Response(headers={"ETag": '"1"'})
        if asked == "CompleteMultipartUpload":
            return Response("<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")
        if asked == "DeleteObject":
            kept.pop(key, None)
            return Response(status=204)
        return Response(kept[key]) if key in kept else error(404, "NoSuchKey")

    return Request.application(answer)


def test_a_server_that_keeps_other_bytes_is_found_and_what_may_help_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}
    told = said("write", keeper(kept, lambda content: b"5;chunk\r\n" + content), monkeypatch)
    assert "the server gives back other bytes than were written. Set AWS_REQUEST_CHECKSUM_CALCULATION" in told
    assert kept == {}


def test_what_may_help_does_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that knows no chunks gets none: the body is what is written, and no more."""
    kept: dict[str, bytes] = {}
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    with served(keeper(kept, lambda content: content)) as place:
        name_by_environment(monkeypatch, f"http://{place}")
        Store(PLACE).write("x", b"content")
    assert kept == {"/safe/nightly/x": b"content"}
