"""The next items are made on a thread of their own while the caller works on one."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor


def ahead[T](items: Iterable[T], *, count: int) -> Generator[T]:
    """Yield ``items`` in their order, made up to ``count`` ahead; what making one raises is raised in its turn.

    Close the iterator (``contextlib.closing``) where it may be left before its end.
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = deque(thread.submit(next, source, end) for _ in range(count))
        try:
            while (item := coming.popleft().result()) is not end:
                coming.append(thread.submit(next, source, end))
                yield item  # type: ignore[misc]  # all but ``end`` are of ``items``
        finally:
            for future in coming:
                future.cancel()
