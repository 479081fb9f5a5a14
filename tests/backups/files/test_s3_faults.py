"""What is wrong with S3 is said in one sentence that names cause and setting, by whichever command meets it."""

from collections.abc import Iterator

import pytest
from pyarrow import fs
from werkzeug.wrappers import Response

from backups.backing_up.backup import backup
from backups.files.store import Store
from backups.models import Backup, BackupSchedule
from tests.support.aws.servers import Answering, but_for, error, moto, refusing, served
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
    ("deed", "operations", "right"),
    [
        ("scan", ("ListObjectsV2",), "s3:ListBucket"),
        ("load", ("ListObjectsV2",), "s3:ListBucket"),
        *((deed, ("HeadObject", "GetObject"), "s3:GetObject") for deed in READING),
        *((deed, ("GetObject",), "s3:GetObject") for deed in READING),
        ("backup", ("CreateMultipartUpload",), "s3:PutObject"),
        ("backup", ("UploadPart",), "s3:PutObject"),
        ("backup", ("CompleteMultipartUpload",), "s3:PutObject"),
    ],
)
def test_the_right_that_is_missing_is_named(
    deed: str, operations: tuple[str, ...], right: str, rules: list[Answering]
) -> None:
    rules.append(refusing(DENIED, *operations))
    assert said(deed).endswith(f": access denied. Give these credentials the right {right}.")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("User: x is not authorized to perform: kms:GenerateDataKey on resource: y", "kms:GenerateDataKey"),
        ("User: x is not authorized to perform: s3:PutObjectTagging on resource: y", "s3:PutObjectTagging"),
    ],
)
def test_a_right_that_the_server_names_is_the_one(words: str, right: str, rules: list[Answering]) -> None:
    rules.append(refusing(error(403, "AccessDenied", words=words), "CreateMultipartUpload"))
    assert said("backup").endswith(f"Give these credentials the right {right}.")


def test_without_the_right_to_delete_a_pruning_says_so(rules: list[Answering]) -> None:
    schedule = BackupSchedule.objects.create(name="weekly", cron="0 3 * * 1", keep_last=0)
    Backup.objects.update(schedule=schedule, origin="schedule")
    backup(["shelves"], store=Store(SAFE))
    rules.append(refusing(DENIED, "DeleteObject"))
    ran = run("prune_backups", "--yes", code=2)
    assert "access denied. Give these credentials the right s3:DeleteObject." in ran.err
