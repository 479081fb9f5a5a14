"""``make soak [SECONDS=60]``: run, prove, print; of 600 seconds and more ``benchmarks/SOAK.md`` is written."""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from benchmarks.soak.arena import Postgres, serving
from benchmarks.soak.clients import CLIENTS, Client
from benchmarks.soak.proof import prove, prove_backups, prove_memory, prove_scrapes, settle
from benchmarks.soak.report import SoakResult, render
from benchmarks.soak.watch import QUIET_FROM, Backups, Memory, Scraper, commit_faults
from core.embedded_postgres import stop

REPORT = Path(__file__).resolve().parent.parent / "SOAK.md"
FULL_SECONDS = 600


def main() -> None:
    """Parse, soak, report; exit code 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=FULL_SECONDS, help="how long the clients send")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="dataforge-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the system user as whom root runs PostgreSQL comes through here
        postgres = Postgres(folder / "pg")
        try:
            soaked = soak(postgres, folder, seconds=seconds)
        finally:
            stop(postgres.folder)
    text = render(soaked)
    sys.stdout.write(text)
    if seconds >= FULL_SECONDS:
        REPORT.write_text(text, encoding="utf-8")
    sys.exit(any(check.failures for check in soaked.checks))


def soak(postgres: Postgres, folder: Path, *, seconds: int) -> SoakResult:
    """Run everything at once for ``seconds``, and then prove."""
    load_before = os.getloadavg()[0]
    with serving(postgres.start(), folder) as site:
        clients = [Client(number + 1, site.port, site.token) for number in range(CLIENTS)]
        memory, scraper, backups = Memory(), Scraper(), Backups()
        until = time.monotonic() + seconds

        def goes_on() -> bool:
            return time.monotonic() < until

        failures: list[str] = []
        beside: list[Callable[[], None]] = [
            *(lambda client=client: client.run(goes_on) for client in clients),
            lambda: memory.run(site, goes_on),
            lambda: scraper.run(site, goes_on),
            lambda: backups.run(site, goes_on),
        ]
        threads = [Thread(target=_noting(work, failures)) for work in beside]
        for thread in threads:
            thread.start()
        faults = commit_faults(postgres, site, seconds=seconds, goes_on=goes_on)
        for thread in threads:
            thread.join()
        if failures:
            met = sum((client.met for client in clients), Counter[str]())
            raise RuntimeError("\n".join([*failures, str(faults), str(met), (folder / "log").read_text()[-4000:]]))
        scraper.scrape(site)
        flat, workers = prove_memory(memory, seconds=seconds, quiet_from=QUIET_FROM)
        checks = [settle(clients, postgres), *prove(clients, postgres), prove_scrapes(scraper), flat]
        checks += prove_backups(backups, site, postgres)
        ((version,),) = postgres.ask("show server_version")
        return SoakResult(seconds, clients, faults, backups, scraper, workers, checks, str(version), load_before)


def _noting(work: Callable[[], None], failures: list[str]) -> Callable[[], None]:
    """Keep what ends a thread, which would otherwise only be printed."""

    def run() -> None:
        try:
            work()
        except Exception as error:
            failures.append(f"{threading.current_thread().name}: {error!r}")

    return run


if __name__ == "__main__":
    main()
