"""Where an endpoint is measured: the stored rows, the services that can be started, and the work given to them."""

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from benchmarks import services
from benchmarks.bodies import Batch, table_body
from benchmarks.client import post
from benchmarks.frame import Contender, Run
from benchmarks.peers.copy_floor import Copies, copy_batches, copy_together, prepared
from benchmarks.services import Service
from benchmarks.stored import StoredSample


class Work:
    """Batches of fresh records, made when they are first wanted; the first ``warm_ups`` of a client do not count."""

    def __init__(
        self,
        make: Callable[[], list[Batch]],
        *,
        body: Callable[[Batch], bytes] = table_body,
        good: float = 1.0,
        warm_ups: int = 2,
    ) -> None:
        """``good``: the share of the records that can be stored."""
        self._make, self._body, self._good, self.warm_ups = make, body, good, warm_ups

    @cached_property
    def batches(self) -> list[Batch]:
        """The records."""
        return self._make()

    @cached_property
    def bodies(self) -> list[bytes]:
        """The same as requests."""
        return [self._body(batch) for batch in self.batches]

    @cached_property
    def copies(self) -> list[Copies]:
        """The same for COPY."""
        return [prepared(batch) for batch in self.batches]

    @property
    def new_rows(self) -> int:
        """How many rows there are when all is stored."""
        return round(self._good * sum(map(len, self.batches)))


class Arena:
    """The tables before each run, and the services, which all run during a contest."""

    def __init__(self, whole: Path, fresh: Path) -> None:
        """Start nothing yet; say which service has to be left out."""
        self.fresh = fresh
        self.ours, self.fastapi, self.drf = services.ours(), services.fastapi(), services.drf()
        self.left_out = tuple(
            f"{service.name} is left out: {service.missing}." for service in self._all() if service.missing
        )
        self._stored = StoredSample(whole, fresh)
        self._is_loaded = False
        for line in self.left_out:
            sys.stderr.write(f"{line}\n")

    def _all(self) -> tuple[Service, ...]:
        return self.ours, self.fastapi, self.drf

    @contextmanager
    def open(self, *needed: Service) -> Iterator[None]:
        """Fill the tables, the first time, and run the services for the block."""
        if not self._is_loaded:
            self._stored.load()
            self._is_loaded = True
        with ExitStack() as stack:
            for service in needed:
                if not service.missing:
                    stack.enter_context(services.started(service))
            yield

    def one_client(
        self, name: str, service: Service, work: Work, *, path: str = "", stores: bool = True
    ) -> list[Contender]:
        """Post all batches from one client: the median latency of a request."""

        def run() -> Run:
            (posted,) = post(service.at(path), [work.bodies], warm_ups=work.warm_ups)
            self._check(name, work, len(posted.latencies) + work.warm_ups if stores else 0)
            return Run(seconds=statistics.median(posted.latencies))

        return self._served(name, service, run)

    def many_clients(self, name: str, service: Service, work: Work, *, clients: int, path: str = "") -> list[Contender]:
        """Deal all batches out to clients that post at the same time: the seconds of all of it, a batch."""

        def run() -> Run:
            shares = [work.bodies[place::clients] for place in range(clients)]
            posted = post(service.at(path), shares, warm_ups=work.warm_ups)
            count = sum(len(one.latencies) for one in posted)
            self._check(name, work, count + work.warm_ups * clients)
            wall = max(one.ended for one in posted) - min(one.began for one in posted)
            return Run(seconds=wall / count)

        return self._served(name, service, run)

    def copying(self, name: str, work: Work) -> list[Contender]:
        """COPY all batches: the median of a batch."""

        def run() -> Run:
            latencies = copy_batches(work.copies, warm_ups=work.warm_ups)
            self._check(name, work, len(work.batches))
            return Run(seconds=statistics.median(latencies))

        return [Contender(name=name, run=run, prepare=self._stored.reset)]

    def copying_together(self, name: str, work: Work, *, clients: int) -> list[Contender]:
        """Deal all batches out to connections that COPY at the same time: the seconds of all of it, a batch."""

        def run() -> Run:
            shares = [work.copies[place::clients] for place in range(clients)]
            seconds = copy_together(shares, warm_ups=work.warm_ups)
            self._check(name, work, len(work.batches))
            return Run(seconds=seconds)

        return [Contender(name=name, run=run, prepare=self._stored.reset)]

    def _served(self, name: str, service: Service, run: Callable[[], Run]) -> list[Contender]:
        return [] if service.missing else [Contender(name=name, run=run, prepare=self._stored.reset)]

    def _check(self, name: str, work: Work, posted: int) -> None:
        """Raise RuntimeError where a contender did not store what it was given (its time would mean nothing)."""
        stored = self._stored.new_rows()
        if posted == len(work.batches) and stored != work.new_rows:
            raise RuntimeError(f"{name} stored {stored:,} rows and not {work.new_rows:,}")
