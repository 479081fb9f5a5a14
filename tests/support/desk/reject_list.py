"""The list of rejects as a page shows it."""

import re

LIST = "ingest/rejectedrecord/"


def choices(html: str) -> set[str]:
    """Return the filters' choices as they are shown."""
    side = html[html.index('id="changelist-filter"') :]
    return set(re.findall(r">([^<>]+ \([^()<>]+\))</a>", side))


def shown(html: str) -> set[int]:
    return {int(number) for number in re.findall(r"rejectedrecord/(\d+)/change/", html)}
