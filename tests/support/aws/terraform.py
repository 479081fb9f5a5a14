"""Terraform on a copy of deploy/aws, with its state in a file and an emulator in Amazon's place."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "deploy" / "aws"
TIMEOUT_SECONDS = 600
# What moto does not emulate (README, "Tried without AWS"): validated, and left out of the apply.
NOT_EMULATED = ("parameters", "web_scaling")
ON_LOOPBACK = """
terraform {
  backend "local" {}
}

provider "aws" {
  s3_use_path_style = true
}
"""
# What moto takes and does not give back (README, too): Terraform would set it again for ever.
FORGOTTEN: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "network": {
        ("aws_vpc_security_group_ingress_rule", "between"): ("description",),
        ("aws_vpc_security_group_egress_rule", "between"): ("description",),
        ("aws_vpc_security_group_egress_rule", "s3"): ("description",),
    },
    "service": {
        ("aws_ecs_service", "this"): (
            "desired_count",  # as the configuration itself says
            "availability_zone_rebalancing",
            "health_check_grace_period_seconds",
        )
    },
}
PLUGIN = "hashicorp/aws/*/*/terraform-provider-aws*"
# Where people and Terraform itself keep plug-ins that are not fetched.
PLACES = ("~/.terraform.d", "/usr/local/share/terraform", "/usr/share/terraform", "/opt")


def plugin_folder() -> Path | None:
    """Find the folder to be passed by ``-plugin-dir``: TERRAFORM_PLUGINS, or where plug-ins lie by custom."""
    named = os.environ.get("TERRAFORM_PLUGINS")
    for place in (named,) if named else PLACES:
        root = Path(place).expanduser()
        found = (path for depth in ("", "*/", "*/*/", "*/*/*/") for path in root.glob(depth + PLUGIN))
        for plugin in islice(found, 1):
            return plugin.parents[5]  # below it: host, hashicorp, aws, version, platform
    return None


@dataclass(frozen=True)
class Terraform:
    """One folder to run Terraform in, and the environment that leads it to the emulator."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run ``terraform ARGUMENTS``, which is to end with ``code``, and return what it printed."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        ran = subprocess.run(
            ["terraform", arguments[0], "-no-color", *arguments[1:]],
            cwd=self.folder,
            env=inherited | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert ran.returncode == code, ran.stdout[-8000:]
        return ran.stdout


def copied(folder: Path, *, environment: dict[str, str]) -> Terraform:
    """Copy the configuration, lead it to the emulator, and install the plug-in."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars"))
    left_out = "".join(f'\nmodule "{name}" {{\n  count = 0\n}}\n' for name in NOT_EMULATED)
    (folder / "emulated_override.tf").write_text(ON_LOOPBACK + left_out)
    for module, resources in FORGOTTEN.items():
        blocks = (
            f'resource "{kind}" "{name}" {{\n  lifecycle {{\n    ignore_changes = [{", ".join(attributes)}]\n  }}\n}}\n'
            for (kind, name), attributes in resources.items()
        )
        (folder / "modules" / module / "emulated_override.tf").write_text("\n".join(blocks))
    (folder / "cli.tfrc").write_text("")
    terraform = Terraform(folder, {"TF_CLI_CONFIG_FILE": str(folder / "cli.tfrc"), **environment})
    plugins = plugin_folder()
    terraform.run("init", *([f"-plugin-dir={plugins}"] if plugins else []))
    return terraform
