"""docs/architecture.md tells of the house that stands: each room and name in it is there, and no room is left out."""

import re

import pytest

from tests.support.manual.modules import PACKAGES, ROOT, modules

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = sorted(
    set(re.findall(r"`((?:core|access|ingest|backups|olist|dataforge)/[a-z0-9_/]*(?:\.py)?)(?:: \w+)?`", PAGE))
)
NAMES = sorted(set(re.findall(r"`([a-z_/]+\.py): (\w+)(?:\.(\w+))?`", PAGE)))
OWN_FOLDERS = {"commands", "migrations"}  # Django's own, in rooms that are named


def rooms() -> list[str]:
    """The folders that hold modules."""
    folders = {path.parent for path in modules().values()}
    return sorted(f"{folder.relative_to(ROOT)}/" for folder in folders if folder.name not in OWN_FOLDERS)


@pytest.mark.parametrize("path", PATHS)
def test_a_place_that_the_page_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("path", "name", "method"), NAMES)
def test_a_function_or_class_that_the_page_names_stands_where_it_says(path: str, name: str, method: str) -> None:
    stands = re.split(rf"^(?:def|class) {name}\b", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(stands) == 2
    assert not method or f"    def {method}(" in stands[1]


@pytest.mark.parametrize("room", rooms())
def test_a_room_is_named_on_the_page(room: str) -> None:
    assert room in PATHS


@pytest.mark.parametrize("contract", ["ingest", "backups"])
def test_the_figure_of_an_app_s_layers_is_its_contract(contract: str) -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = settings.partition(f'containers = ["{contract}"]')[2].partition("layers = [")[2].partition("\n]")[0]
    figure = PAGE.partition(f"`{contract}/`\n\n```\n")[2].partition("\n```")[0]
    drawn = [re.split(r"\s{3,}", line)[0] for line in figure.splitlines()]
    assert drawn == re.findall(r'"([^"]+)"', layers)


def test_the_page_knows_every_package() -> None:
    assert {path.split("/")[0] for path in PATHS} == set(PACKAGES)
