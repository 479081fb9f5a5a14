"""A stop lets what is at work finish: the program of the image, told to end by SIGTERM in the middle of a batch."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User

from access.tokens import create_token
from tests.support.api.client import BATCHES
from tests.support.loading.loads import PLAIN, PROJECT, database_url, query
from tests.support.manual.console import free_port
from tests.support.postgres.sessions import transaction_elsewhere, wait_for_waiting, wait_until
from tests.support.secrets import SECRET_KEY

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]
PATIENCE_SECONDS = 30


class Site:
    """The running program of the image."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process, self.address = process, address

    def workers(self) -> int:
        return len(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())

    def listens(self) -> bool:
        try:
            return requests.get(f"{self.address}/readyz", timeout=PATIENCE_SECONDS).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def site() -> Iterator[Site]:
    port = free_port()
    settings = {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": SECRET_KEY,
        "DEBUG": "off",
        "HTTPS": "off",
        "TRIAL": "on",
    }
    settings |= {"GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}", "WEB_CONCURRENCY": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dataforge.container"], cwd=PROJECT, env={**os.environ, **settings}
    )
    try:
        site = Site(process, f"http://127.0.0.1:{port}")
        wait_until(site.listens)
        yield site
    finally:
        process.kill()
        process.wait()


def test_a_batch_that_is_at_work_when_the_container_is_stopped_is_answered_and_kept(site: Site) -> None:
    token = create_token(User.objects.create_user("till", is_superuser=True), name="test", expires=None)
    body: dict[str, Any] = {"table": "customers", "records": [PLAIN["customers"]]}
    with ThreadPoolExecutor(1) as client, transaction_elsewhere() as elsewhere:
        elsewhere.execute("lock table olist_customers in access exclusive mode")
        sent = client.submit(
            requests.post, site.address + BATCHES, json=body,
            headers={"Authorization": f"Token {token}"}, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        wait_for_waiting()
        site.process.send_signal(signal.SIGTERM)
        wait_until(lambda: site.workers() == 1)  # the other one had nothing to do
        assert not sent.done()
        elsewhere.connection.commit()
        answer = sent.result(PATIENCE_SECONDS)
    assert (answer.status_code, answer.json()["counts"]["inserted"]) == (201, 1), answer.text
    assert site.process.wait(PATIENCE_SECONDS) == 0
    assert query("select customer_id from olist_customers") == [(PLAIN["customers"]["customer_id"],)]


def test_a_site_with_nothing_to_do_stops_at_once_also_with_clients_that_keep_their_connection(site: Site) -> None:
    with requests.Session() as session:
        assert session.get(f"{site.address}/healthz", timeout=PATIENCE_SECONDS).ok
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(10) == 0
