"""The whole configuration, applied to moto's server in place of AWS, and taken away again."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.support.aws.certificates import Authority
from tests.support.aws.moto import amazon
from tests.support.aws.terraform import SOURCE, Terraform, copied

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("terraform") is None,
        reason="terraform is not installed, so deploy/aws was not applied: see 'Tried without AWS' in its README",
    ),
]
REGION = "eu-west-1"
LOGIN = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture(scope="module")
def terraform(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    folder = tmp_path_factory.mktemp("aws") / "deploy"
    made = copied(folder, environment={**LOGIN, "AWS_ENDPOINT_URL": emulator})
    authority = Authority("of a test")
    (folder / "authorities.pem").write_bytes(authority.certificate)
    given = {
        "region": REGION,
        "domain": "forge.example.com",
        "certificate_arn": certificate_arn(emulator, authority),
        "database_ca_file": "authorities.pem",
        "alarm_email": "ops@example.com",
        "image_tag": "0.1.0",
        "protected": False,
    }
    (folder / "terraform.tfvars.json").write_text(json.dumps(given))
    return made


def client(emulator: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=emulator,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def certificate_arn(emulator: str, authority: Authority) -> str:
    pair = authority.vouch("forge.example.com")
    imported = client(emulator, "acm").import_certificate(Certificate=pair.certificate, PrivateKey=pair.key)
    return str(imported["CertificateArn"])


def test_all_files_are_formatted() -> None:
    unformatted = Terraform(SOURCE, {}).run("fmt", "-check", "-recursive", "-list=true")
    assert unformatted == ""


def test_it_is_applied_stays_as_it_is_and_is_taken_away(terraform: Terraform, emulator: str) -> None:
    terraform.run("validate")
    terraform.run("apply", "-auto-approve")
    try:
        terraform.run("plan", "-detailed-exitcode")
        check_what_there_is(terraform, emulator)
    finally:
        terraform.run("destroy", "-auto-approve")
    assert client(emulator, "rds").describe_db_instances()["DBInstances"] == []
    buckets = [bucket["Name"] for bucket in client(emulator, "s3").list_buckets()["Buckets"]]
    assert not [name for name in buckets if name.startswith("dataforge")]  # moto shares them between its servers
    assert json.loads((terraform.folder / "terraform.tfstate").read_text())["resources"] == []


def check_what_there_is(terraform: Terraform, emulator: str) -> None:
    """Ask the emulator, not Terraform."""
    (database,) = client(emulator, "rds").describe_db_instances()["DBInstances"]
    assert database["StorageEncrypted"]
    assert not database["PubliclyAccessible"]
    for name in ("backups", "uploads"):
        bucket = terraform.run("output", "-raw", f"{name}_bucket")
        s3 = client(emulator, "s3")
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    check_clocks(emulator)
    check_rights(emulator)
    check_secrets(emulator, (terraform.folder / "terraform.tfstate").read_text())


def check_clocks(emulator: str) -> None:
    scheduler, ecs = client(emulator, "scheduler"), client(emulator, "ecs")
    started = {}
    for name in (schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]):
        schedule = scheduler.get_schedule(Name=name)
        definition = schedule["Target"]["EcsParameters"]["TaskDefinitionArn"]
        (container,) = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]["containerDefinitions"]
        started[name] = (schedule["ScheduleExpression"], schedule["State"], container["command"][2:])
    assert started == {
        "dataforge-backups": ("cron(5 * * * ? *)", "ENABLED", ["run_scheduled_backups"]),
        "dataforge-chores": ("rate(5 minutes)", "ENABLED", ["tend_rejects"]),
    }


def check_rights(emulator: str) -> None:
    iam, seen, buckets = client(emulator, "iam"), 0, set()
    for role in (role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("dataforge")):
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                assert not any("*" in action for action in actions)
                assert statement["Resource"] != "*" or actions == ["ecr:GetAuthorizationToken"]
                buckets |= {role for action in actions if action == "s3:PutObject"}
                seen += 1
    assert seen > 20
    assert buckets == {f"dataforge-{kind}-task" for kind in ("backup", "manage", "worker")}


def check_secrets(emulator: str, state: str) -> None:
    secrets = client(emulator, "secretsmanager")
    values = {
        each["Name"]: secrets.get_secret_value(SecretId=each["ARN"])["SecretString"]
        for each in secrets.list_secrets()["SecretList"]
    }
    ours = {name: value for name, value in values.items() if name.startswith("dataforge/")}
    assert {name: len(value) for name, value in ours.items()} == {
        f"dataforge/{name}": 50 for name in ("secret-key", "owner-password", "admin-password")
    }
    (masters,) = (json.loads(value)["password"] for name, value in values.items() if name not in ours)
    assert not any(value in state for value in (*ours.values(), masters))
