"""The batch endpoint against its peers: latency of a request, one client and eight, clean batches and dirty ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks import bodies, files
from benchmarks.arena import Arena, Work
from benchmarks.frame import Contender, Contest, Gap, Row

CLIENTS = 8
GAP_SECONDS = 0.010
FRESH_SEED = 2
OTHER_TABLES = (
    "product_category_name_translation",
    "geolocation",
    "customers",
    "sellers",
    "products",
    "order_items",
    "order_payments",
    "order_reviews",
)
NOTES = (
    """Endpoint: the latency of a request from a client's side, a process of its own with one kept connection over
    loopback HTTP; a run is the median of many requests. All servers have the same number of processes and threads and
    are up at the same time. Bodies are made before the clock runs; every record is fresh and refers to stored ones, an
    order to a customer of its own. Before each run, what the last one wrote is deleted and vacuumed away; after it, the
    rows that it stored are counted.""",
    """COPY: psycopg2, the same rows as text made beforehand, one commit a batch; no HTTP, nothing checked. FastAPI:
    `benchmarks/peers/fastapi_service.py`. DRF bulk_create: `ModelSerializer(many=True)`, references and keys by one
    query each (`drf_bulk.py`, `drf_tables.py`); as generated: the same with the serializer as DRF makes it. Both are
    all or nothing: of a batch with bad records they answer 400 and store nothing, so there is no row of half bad
    batches against them. Whole orders with their parts: each peer takes them in one request and one transaction.""",
    """Eight clients, and the one client against them: seconds a batch, from the first request of any of them to the
    last answer, so 1.5 times the records a second are a ratio of 0.67. Their floor is as many connections that COPY at
    the same time.""",
    """The floor of a half bad batch is COPY of its good rows alone.""",
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Scales of the samples, and how many requests a run makes."""

    stored_scale: float
    fresh_scale: float
    batches: int
    few_batches: int
    singles: int
    together: int


FULL = Size(stored_scale=0.51, fresh_scale=0.5, batches=22, few_batches=4, singles=205, together=7 * CLIENTS)
QUICK = Size(stored_scale=0.05, fresh_scale=0.05, batches=3, few_batches=3, singles=10, together=3 * CLIENTS)


def contests(*, quick: bool) -> list[Contest]:
    """All contests; a service that is not there is left out with its rows, by name."""
    size = QUICK if quick else FULL
    arena = Arena(files.sample(scale=size.stored_scale), files.sample(scale=size.fresh_scale, seed=FRESH_SEED))
    plans = [_orders(arena, size), _single(arena, size), _together(arena, size), _tables(arena, size)]
    if quick:
        plans = [_merged(plans)]  # the servers start once
    return [_runnable(arena, plan, is_first=not place, quick=quick) for place, plan in enumerate(plans)]


@dataclass(frozen=True)
class Plan:
    """A contest before it is known which rows can be had."""

    name: str
    contenders: Sequence[Contender]
    rows: Sequence[Row]
    gaps: Sequence[Gap] = ()


def _merged(plans: Sequence[Plan]) -> Plan:
    return Plan(
        "endpoint",
        [contender for plan in plans for contender in plan.contenders],
        [row for plan in plans for row in plan.rows],
        [gap for plan in plans for gap in plan.gaps],
    )


def _runnable(arena: Arena, plan: Plan, *, is_first: bool, quick: bool) -> Contest:
    names = {contender.name for contender in plan.contenders}
    return Contest(
        name=plan.name,
        contenders=tuple(plan.contenders),
        rows=tuple(row for row in plan.rows if {row.ours, row.against} <= names),
        gaps=tuple(gap for gap in plan.gaps if {gap.ours, gap.against} <= names),
        notes=(*NOTES, *arena.left_out) if is_first else (),
        warm_up=not quick,
        around=lambda: arena.open(arena.ours, arena.fastapi, arena.drf),
    )


def _orders(arena: Arena, size: Size) -> Plan:
    def make(count: int) -> list[bodies.Batch]:
        return bodies.batches(arena.fresh, "orders", count=count)

    clean, few = Work(lambda: make(size.batches)), Work(lambda: make(size.few_batches))
    dirty = Work(lambda: [bodies.half_bad(batch) for batch in make(size.batches)], good=0.5)
    good = Work(lambda: [bodies.good_half(batch) for batch in make(size.batches)])
    ours, half = "endpoint, 1,000 orders", "endpoint, 1,000 orders, half of them bad"
    peer, peer_half = "FastAPI, 1,000 orders", "FastAPI, 1,000 orders, half of them bad"
    floor, floor_half = "COPY, 1,000 orders", "COPY, 500 orders"
    bulk = "DRF bulk_create, 1,000 orders"
    generated = "DRF bulk_create as generated, 1,000 orders"
    return Plan(
        "endpoint, orders",
        (
            *arena.one_client(ours, arena.ours, clean),
            *arena.one_client(peer, arena.fastapi, clean),
            *arena.copying(floor, clean),
            *arena.one_client(half, arena.ours, dirty),
            *arena.one_client(peer_half, arena.fastapi, dirty),
            *arena.copying(floor_half, good),
            *arena.one_client(bulk, arena.drf, clean, path="/orders/bulk/"),
            *arena.one_client(generated, arena.drf, few, path="/orders/generated/"),
        ),
        (
            Row(work="batch of 1,000 orders", ours=ours, against=peer, bar=0.80),
            Row(work="batch of 1,000 orders (target 2.0)", ours=ours, against=floor),
            Row(work="batch of 1,000 orders", ours=ours, against=bulk),
            Row(work="batch of 1,000 orders", ours=ours, against=generated),
            Row(work="batch of 1,000 orders, half of them bad", ours=half, against=ours, bar=1.5),
            Row(work="batch of 1,000 orders, half of them bad", ours=half, against=peer_half),
            Row(work="batch of 1,000 orders, half of them bad", ours=half, against=floor_half),
            Row(work="FastAPI's batch of 1,000 orders", ours=peer, against=floor),
        ),
    )


def _single(arena: Arena, size: Size) -> Plan:
    one = Work(lambda: bodies.batches(arena.fresh, "orders", count=size.singles, size=1), warm_ups=5)
    ours, peer, view = "endpoint, 1 order", "FastAPI, 1 order", "DRF view with one query"
    floor, bulk = "COPY, 1 order", "DRF bulk_create, 1 order"
    return Plan(
        "endpoint, one record",
        (
            *arena.one_client(ours, arena.ours, one),
            *arena.one_client(view, arena.drf, one, path="/one-query/", stores=False),
            *arena.one_client(peer, arena.fastapi, one),
            *arena.one_client(bulk, arena.drf, one, path="/orders/bulk/"),
            *arena.copying(floor, one),
        ),
        tuple(Row(work="batch of 1 order", ours=ours, against=against) for against in (peer, bulk, floor)),
        (Gap(work="batch of 1 order", ours=ours, against=view, bar_seconds=GAP_SECONDS),),
    )


def _together(arena: Arena, size: Size) -> Plan:
    work = Work(lambda: bodies.batches(arena.fresh, "orders", count=size.together))
    eight, alone = f"endpoint, {CLIENTS} clients", "endpoint, 1 client"
    peer_eight, peer_alone = f"FastAPI, {CLIENTS} clients", "FastAPI, 1 client"
    bulk, floor = f"DRF bulk_create, {CLIENTS} clients", f"COPY, {CLIENTS} connections"
    return Plan(
        "endpoint, clients together",
        (
            *arena.many_clients(eight, arena.ours, work, clients=CLIENTS),
            *arena.many_clients(alone, arena.ours, work, clients=1),
            *arena.many_clients(peer_eight, arena.fastapi, work, clients=CLIENTS),
            *arena.many_clients(peer_alone, arena.fastapi, work, clients=1),
            *arena.many_clients(bulk, arena.drf, work, clients=CLIENTS, path="/orders/bulk/"),
            *arena.copying_together(floor, work, clients=CLIENTS),
        ),
        (
            Row(work=f"batches of {CLIENTS} clients together", ours=eight, against=alone, bar=1 / 1.5),
            Row(work=f"batches of {CLIENTS} clients together", ours=eight, against=peer_eight),
            Row(work=f"batches of {CLIENTS} clients together", ours=eight, against=bulk),
            Row(work=f"batches of {CLIENTS} clients together", ours=eight, against=floor),
            Row(work=f"FastAPI's batches of {CLIENTS} clients together", ours=peer_eight, against=peer_alone),
        ),
    )


def _tables(arena: Arena, size: Size) -> Plan:
    plans = [_table(arena, size, table) for table in OTHER_TABLES]
    return replace(_merged([*plans, _mixed(arena, size)]), name="endpoint, tables")


def _table(arena: Arena, size: Size, table: str) -> Plan:
    def work(count: int) -> Work:
        return Work(lambda: bodies.batches(arena.fresh, table, count=count))

    quick, slow = work(size.batches), work(size.few_batches)
    return _against_all(arena, table, f"batch of 1,000 {table}", quick, slow, path=f"/{table}/bulk/")


def _mixed(arena: Arena, size: Size) -> Plan:
    def work(count: int) -> Work:
        return Work(lambda: bodies.mixed_batches(arena.fresh, count=count), body=bodies.mixed_body)

    quick, slow = work(size.batches), work(size.few_batches)
    title = "batch of orders with items, payments, reviews"
    return _against_all(arena, "mixed orders", title, quick, slow, path="/mixed/bulk/")


def _against_all(arena: Arena, what: str, title: str, quick: Work, slow: Work, *, path: str) -> Plan:
    """Compare with both peers and the floor; DRF, at ``path``, does the ``slow`` work, which is less of the same."""
    ours, others = f"endpoint, {what}", (f"FastAPI, {what}", f"DRF bulk_create, {what}", f"COPY, {what}")
    peer, bulk, floor = others
    return Plan(
        what,
        (
            *arena.one_client(ours, arena.ours, quick),
            *arena.one_client(peer, arena.fastapi, quick),
            *arena.one_client(bulk, arena.drf, slow, path=path),
            *arena.copying(floor, quick),
        ),
        tuple(Row(work=title, ours=ours, against=against) for against in others),
    )
