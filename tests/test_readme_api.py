"""The README's session with the HTTP API, carried out as it stands against a real server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from urllib3.util import Retry

from access.tokens import create_token
from ingest.models import RejectedRecord
from tests.support.loading.loads import PROJECT, database_url, query
from tests.support.manual.console import README, divided, free_port, steps

SECTION = README.split("## Records over HTTP")[1].split("\n## ")[0]
START_SECONDS = 20


@pytest.fixture
def site(committed: None, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve the tests' database; yield the site's address and the environment of its commands."""
    address = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "DATABASE_URL": database_url(), "DEBUG": "on", "SECRET_KEY": "of a test"}
    environment["BACKUP_STORE"] = str(tmp_path / "store")
    command = [sys.executable, "-m", "gunicorn", "dataforge.wsgi", "--bind", address, "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        retry = Retry(connect=40, backoff_factor=0.1, backoff_max=0.5)
        with requests.Session() as session:
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
            assert session.get(f"http://{address}/api/v1/batches/", timeout=START_SECONDS).status_code == 401
        yield address, environment
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def masked(line: str) -> str:
    """Leave out what differs from run to run."""
    return re.sub(r'"[0-9a-f-]{36}"|"reject_id": "\d+"', "~", line.strip())


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's session needs curl")
@pytest.mark.slow
def test_the_session_of_the_readme_runs_as_it_stands(site: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    address, environment = site
    told = steps(SECTION)
    script = "\n".join(f"echo; echo '## {number}'\n{command}" for number, (command, _) in enumerate(told))
    script = script.replace("127.0.0.1:8000", address).replace(".venv/bin/python", sys.executable)
    script = script.replace("manage.py", str(PROJECT / "manage.py")).replace(
        "python3 -m json.tool", f"{sys.executable} -m json.tool"
    )
    done = subprocess.run(
        ["bash", "-euc", script + '\necho "## TOKEN"; echo "$TOKEN"'],
        cwd=tmp_path, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for number, (_, printed) in enumerate(told):
        real = list(map(masked, done.stdout.split(f"## {number}\n")[1].split("\n## ")[0].splitlines()))
        for line in printed:
            assert line == "..." or masked(line) in real, line
    assert RejectedRecord.objects.get().ref == "slip 12"

    scope: dict[str, Any] = {"TOKEN": done.stdout.split("## TOKEN\n")[1].strip()}
    (example,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    exec(compile(example.replace("127.0.0.1:8000", address), "README.md", "exec"), scope)
    assert query("select payment_value::text from olist_order_payments") == [("18.90",)]
    assert query("select order_purchase_timestamp::text from olist_orders order by order_id") == [
        ("2018-08-01 10:00:00",),
        ("2018-08-01 10:00:00",),
    ]


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's session needs curl")
def test_the_backup_over_http_of_the_readme_runs_as_it_stands(site: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    address, environment = site
    (block,) = re.findall(r"```console\n\$ (curl [^`]*/api/v1/backups/.*?)```", README, re.DOTALL)
    command, printed = divided(block)
    staff = User.objects.create_superuser("staff")
    told = {**environment, "STAFF_TOKEN": create_token(staff, name="test", expires=None)}
    command = command.replace("127.0.0.1:8000", address).replace("python3", sys.executable)
    done = subprocess.run(
        ["bash", "-euc", command], cwd=tmp_path, env=told, text=True, capture_output=True, check=False
    )
    real = list(map(masked, done.stdout.splitlines()))
    for line in printed:
        assert line == "..." or masked(line) in real, (line, done)
    assert query('select "table", status from backups_backup order by 1') == [
        ("olist_order_items", "done"),
        ("olist_orders", "done"),
    ]
    query("truncate backups_backup cascade")
