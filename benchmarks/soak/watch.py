"""What goes on beside the clients: backups in a loop, scrapes, the memory of the workers, and the faults."""

import http.client
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.soak.arena import WORKERS, Postgres, Site
from benchmarks.soak.clients import LOST

SAMPLED_EVERY_SECONDS = 1.0
SCRAPED_EVERY_SECONDS = 6.0
BACKUP_PAUSE_SECONDS = 3.0
CLEAR = (0, 3)  # exit codes: done, and the database was lost

type GoesOn = Callable[[], bool]


@dataclass
class Memory:
    """Resident MiB of each worker, by seconds since the start."""

    samples: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def run(self, site: Site, goes_on: GoesOn) -> None:
        """Sample until the end."""
        started = time.monotonic()
        while goes_on():
            for number in site.workers():
                with suppress(OSError, IndexError):
                    status = Path(f"/proc/{number}/status").read_text()
                    kilobytes = int(status.partition("VmRSS:")[2].split()[0])
                    self.samples.setdefault(number, []).append((time.monotonic() - started, kilobytes / 1024))
            time.sleep(SAMPLED_EVERY_SECONDS)


@dataclass
class Scraper:
    """Prometheus: counters that fall would be a lie."""

    answers: Counter[str] = field(default_factory=Counter)
    fallen: list[str] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)

    def run(self, site: Site, goes_on: GoesOn) -> None:
        """Scrape until the end."""
        while goes_on():
            self.scrape(site)
            time.sleep(SCRAPED_EVERY_SECONDS)

    def scrape(self, site: Site) -> None:
        """Scrape once, and compare each counter with what it was."""
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {site.environment['METRICS_TOKEN']}"}
            connection.request("GET", "/metrics", headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except LOST:
            self.answers["none"] += 1
            return
        finally:
            connection.close()
        self.answers[str(answer.status)] += 1
        if answer.status == 200:
            self._compare(text)

    def _compare(self, text: str) -> None:
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        now = {name: float(value) for name, _, value in lines if "_total{" in name or "_seconds_" in name}
        self.fallen += [
            f"{name}: {self.last[name]} -> {now.get(name)}" for name in self.last if now.get(name, -1) < self.last[name]
        ]
        self.last = now


@dataclass
class Backups:
    """Backups one after another; those that meet a restart may fail, and say so."""

    codes: Counter[int] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)

    def run(self, site: Site, goes_on: GoesOn) -> None:
        """Back up until the end."""
        while goes_on():
            done = site.command("backup_table", "--all")
            self.codes[done.returncode] += 1
            if done.returncode not in CLEAR or "Traceback" in done.stderr:
                self.unclear.append(f"exit code {done.returncode}: {done.stderr[-2000:]}")
            time.sleep(BACKUP_PAUSE_SECONDS)


@dataclass(frozen=True)
class Fault:
    """Something that is done to the service at a share of the soak's time."""

    at: float
    name: str
    do: Callable[[Postgres, Site], None]


FAULTS = (
    Fault(0.10, "one worker killed", lambda postgres, site: site.kill_workers(1)),
    Fault(0.18, "PostgreSQL restarted (fast)", lambda postgres, site: postgres.restart_fast()),
    Fault(0.26, "all workers killed", lambda postgres, site: site.kill_workers(WORKERS)),
    Fault(0.34, "PostgreSQL killed with all its processes", lambda postgres, site: postgres.kill()),
    Fault(0.42, "one worker killed", lambda postgres, site: site.kill_workers(1)),
)
QUIET_FROM = 0.5  # the memory is judged from here on, undisturbed


def commit_faults(postgres: Postgres, site: Site, *, seconds: float, goes_on: GoesOn) -> list[tuple[float, str]]:
    """Do each fault at its time; return when, in seconds, and what."""
    started, done = time.monotonic(), []
    for fault in FAULTS:
        while goes_on() and time.monotonic() - started < fault.at * seconds:
            time.sleep(0.05)
        fault.do(postgres, site)
        done.append((time.monotonic() - started, fault.name))
    return done
