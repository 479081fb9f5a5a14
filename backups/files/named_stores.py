"""The stores that the settings name: where backups go is said there, or on the command line, and nowhere else."""

import re
from collections.abc import Iterator

from django.conf import settings

from backups.files.layout import parted
from backups.files.store import S3, Store, full_address
from core.errors import SourceUnreadable

DEFAULT = "default"
PLACE_RULE = "Write s3://bucket/prefix, or a folder's path from / on."
NAME_RULE = "small letters, digits, - and _, a letter first, 50 at most"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def store_names() -> list[str]:
    """Name all stores, ``default`` first."""
    return [DEFAULT, *(name for name in settings.DATAFORGE_BACKUP_STORES if name != DEFAULT)]


def named_store(name: str) -> Store:
    """Return the store of that name; SourceUnreadable as of ``store_url``, or where S3 cannot be spoken to."""
    return Store(store_url(name))


def store_url(name: str) -> str:
    """Return the place of a store; SourceUnreadable where the settings have none of that name, or no place for it."""
    if name not in store_names():
        problem = f"the settings have no such store, but {', '.join(store_names())}"
        remedy = "Name it in BACKUP_STORES again, or choose another one."
        raise SourceUnreadable(path=f"store {name!r}", problem=problem, remedy=remedy)
    if problem := place_problem(name):
        raise SourceUnreadable(path=setting_of(name), problem=problem, remedy=PLACE_RULE)
    return _urls()[name]


def store_at(place: str | None) -> Store:
    """Return the store that a command line means: a store's name, a folder, ``s3://bucket/prefix``; None: ``default``.

    SourceUnreadable for a word that could be a name and is none: backups in a folder of that name might never be found.
    """
    if place is None or place in store_names():
        return named_store(place or DEFAULT)
    if not is_name(place):
        return Store(place)
    problem = f"the settings have no such store, but {', '.join(store_names())}"
    raise SourceUnreadable(path=place, problem=problem, remedy=f"A folder of that name is written ./{place}.")


def is_name(word: str) -> bool:
    """Tell that a word may be the name of a store."""
    return bool(_NAME.fullmatch(word))


def setting_of(name: str) -> str:
    """Say where the settings have the store."""
    return "BACKUP_STORE" if name == DEFAULT else f"BACKUP_STORES: {name}"


def place_problem(name: str) -> str:
    """Say what is wrong with the place of a store; empty where nothing is."""
    url = _urls()[name]
    if _CONTROL.search(url):
        return "its place holds a control character"
    if name != DEFAULT and not url.startswith((S3, "/")) and "://" not in url:
        return f"{url!r} names neither a bucket nor a folder from / on"
    try:
        full_address(url)
    except SourceUnreadable as error:
        return f"{error.facts['path']}: {error.facts['problem']}"
    return ""


def store_of(path: str) -> tuple[str | None, str]:
    """Return the store in which a file lies, and its name there; of a file elsewhere None, and ``layout``'s name."""
    for name, address in _addresses():
        if path.startswith(f"{address}/"):
            return name, path.removeprefix(f"{address}/")
    return None, parted(path)[1]


def without_addresses(text: str, path: str = "") -> str:
    """Write the stores in ``text`` by their names, and take out where the root of ``path``, a file elsewhere, lies.

    Where a machine keeps its files is for those who run it, not for all who read what became of a backup.
    """
    for name, address in _addresses():
        text = re.sub(rf"(?<![\w./-]){re.escape(address)}(?![\w-]|\.\w)", name, text)
    root = parted(path)[0]
    for place in (root, root.rpartition("/")[0]):
        if len(place) > 1:
            text = text.replace(f"{place}/", "")
    return text


def _urls() -> dict[str, str]:
    return {**settings.DATAFORGE_BACKUP_STORES, DEFAULT: settings.DATAFORGE_BACKUP_STORE}


def _addresses() -> Iterator[tuple[str, str]]:
    """Yield the names of stores whose place is one, with that, the longest first: one may lie within another."""
    known = [(name, full_address(url)) for name, url in _urls().items() if not place_problem(name)]
    yield from sorted(known, key=lambda store: -len(store[1]))
