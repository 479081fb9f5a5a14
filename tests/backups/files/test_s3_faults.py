"""What is wrong with S3 is said in one sentence that names cause and setting, by whichever command meets it."""

from collections.abc import Iterator

import pytest
from pyarrow import fs
from werkzeug.wrappers import Request, Response

from backups.files.store import Store
from backups.models import Backup
from tests.support.aws.servers import Answering, below, but_for, error, moto, operation, refusing, served
from tests.support.backups.runs import library, run

pytestmark = pytest.mark.usefixtures("committed")
SAFE = "s3://safe/nightly"
DENIED = error(403, "AccessDenied")


@pytest.fixture
def on_s3(committed: None, bucket: fs.S3FileSystem) -> Backup:
    """The backup of the shelves of the library on S3, and a file to be loaded."""
    library()
    with bucket.open_output_stream("safe/olist/olist_sellers_dataset.csv") as stream:
        stream.write(b"seller_id,seller_zip_code_prefix,seller_city,seller_state\n")
    run("backup_table", "shelves", "--to", SAFE)
    return Backup.objects.get()


@pytest.fixture
def rules(on_s3: Backup, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answering]]:
    """What goes before the server's own answers; nothing at first."""
    found: list[Answering] = []
    rule: Answering = lambda request: next(filter(None, (one(request) for one in found)), None)  # noqa: E731
    with served(but_for(rule, moto())) as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{place}")
        yield found


# What a command does, and the exit code with which it says that it could not.
DEEDS: dict[str, tuple[tuple[str, ...], int]] = {
    "backup": (("backup_table", "books", "--to", SAFE), 2),
    "scan": (("list_backups", "--scan", SAFE), 2),
    "verify": (("verify_backup", "--all"), 1),
    "restore": (("restore_table", "shelves"), 2),
    "load": (("load_olist", "s3://safe/olist", "--table", "sellers"), 2),
}
READING = ("verify", "restore", "load")


def said(deed: str) -> str:
    """Run a command that cannot do its work, and return the one line that it says."""
    arguments, code = DEEDS[deed]
    ran = run(*arguments, code=code)
    assert ran.err.count("\n") == 1, ran
    assert ran.out == ""
    return ran.err.removeprefix("CommandError: ").strip()


@pytest.mark.parametrize(
    ("deed", "asked", "right"),
    [
        ("scan", "ListObjectsV2", "s3:ListBucket"),
        ("load", "ListObjectsV2", "s3:ListBucket"),
        *((deed, "GetObject", "s3:GetObject") for deed in READING),
        *(("backup", name, "s3:PutObject") for name in ("CreateMultipartUpload", "CompleteMultipartUpload")),
    ],
)
def test_the_right_that_is_missing_is_named(deed: str, asked: str, right: str, rules: list[Answering]) -> None:
    rules.append(refusing(DENIED, asked))
    assert said(deed).endswith(f": access denied. Give these credentials the right {right}.")


def test_a_backup_that_the_server_does_not_give_back_is_none(rules: list[Answering]) -> None:
    rules.append(lambda request: (operation(request) == "GetObject" and other_bytes(request)) or None)
    assert "gives back other bytes than were written. Set AWS_REQUEST_CHECKSUM_CALCULATION" in said("backup")
    assert not Backup.objects.filter(table="books", status="done").exists()


def other_bytes(request: Request) -> Response:
    first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
    return Response(b"5" * (last - first + 1), status=206)


@pytest.mark.parametrize("place", ["s3://safe/", "s3://safe/nightly/", "tests/support/backups/"])
def test_a_place_without_backups_has_none_to_verify(place: str, bucket: fs.S3FileSystem) -> None:
    told = run("verify_backup", place, code=2).err
    assert told.count("\n") == 1
    assert "no backup lies there" in told or "is not there" in told
    assert "Name the folder in which backups lie, or s3://bucket/prefix." in told


def test_all_of_a_store_lies_below_the_path_of_the_server(
    bucket: fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    with served(below("/sub/deep", moto())) as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{place}/sub/deep")
        run("backup_table", "shelves", "--to", SAFE)
        path = Backup.objects.get().path
        run("verify_backup", path, "--drill")
        Backup.objects.all().delete()
        run("list_backups", "--scan", SAFE)
        run("verify_backup", "--all")
        assert "shelves" in run("restore_table", "shelves").out
        assert bucket.get_file_info(path.removeprefix("s3://")).is_file
        Store(path.rpartition("/")[0]).remove(path.rpartition("/")[2])
    assert not bucket.get_file_info(path.removeprefix("s3://")).is_file
