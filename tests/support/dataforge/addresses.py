"""Every address that the site knows, found in its own configuration."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

# What stands in an address in place of a converter, by its name.
SAMPLES = {"int": "1", "uuid": str(UUID(int=1)), "str": "x", "slug": "x", "path": "x", "raw": "1"}
PLACE = "{}"  # where the key of a thing stands in ``things``


def every_address() -> list[str]:
    """Return all of them, with a sample in each place."""
    return sorted(set(_addresses(get_resolver().url_patterns, "/", SAMPLES)))


def things() -> list[str]:
    """Return those that name a thing by its key, to be filled in by ``format``."""
    found = set(_addresses(get_resolver().url_patterns, "/", dict.fromkeys(SAMPLES, PLACE)))
    return sorted(address for address in found if PLACE in address)


def pages() -> list[str]:
    """Return those that name no thing."""
    return sorted(set(_addresses(get_resolver().url_patterns, "/", dict.fromkeys(SAMPLES, PLACE))) - set(things()))


def _addresses(patterns: list[Any], before: str, samples: Mapping[str, str]) -> Iterator[str]:
    for pattern in patterns:
        here = before + _filled(pattern, samples)
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, here, samples)
        elif isinstance(pattern, URLPattern):
            yield here


def _filled(pattern: URLPattern | URLResolver, samples: Mapping[str, str]) -> str:
    """Return the pattern's part of an address."""
    route = str(pattern.pattern)
    for name, converter in getattr(pattern.pattern, "converters", {}).items():
        named = type(converter).__name__.removesuffix("Converter").lower()
        kind = {"string": "str"}.get(named, named)
        for spelled in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(spelled, samples[kind])
    if "(?P<" in route or route.startswith("^"):
        groups = pattern.pattern.regex.groupindex
        route = "".join("1/" for _ in groups) if groups else ""
    return route
