"""The README's promises: its commands exist, and its Python runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.test.utils import isolate_apps

from ingest.rules.contract import compile_contract
from ingest.rules.sources import Source
from tests.support.manual.console import README

ROOT = Path(__file__).resolve().parent.parent
OWN_APPS = ("access", "backups", "ingest", "olist")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"load", "test"} <= named <= targets


def test_every_option_that_the_readme_names_is_one_of_the_commands_options() -> None:
    options = set()
    for name, app in get_commands().items():
        if app not in OWN_APPS:
            continue
        parser = load_command_class(app, name).create_parser("manage.py", name)
        options |= {option for action in parser._actions for option in action.option_strings}
    named = set(re.findall(r"(?<=[`\[ ])--[a-z-]+", README.split("## The command")[1].split("## A PostgreSQL")[0]))
    assert {"--max-rejects", "--dirty"} <= named <= options


@pytest.fixture
def shop() -> Iterator[SimpleNamespace]:
    """The README's own models, compiled as a team would have them."""
    models, session = [block for block in _blocks("python") if "requests" not in block]
    with isolate_apps("tests"), pytest.MonkeyPatch.context() as patch:
        scope: dict[str, Any] = {"__name__": "tests.shops"}
        exec(compile(models.replace('app_label = "shops"', 'app_label = "tests"'), "README.md", "exec"), scope)
        tables = {source.model: source.table for source in scope["SOURCES"]}
        patch.setattr(Source, "contract", property(lambda source: compile_contract(source.model, tables)))
        yield SimpleNamespace(scope=scope, session=session)


def test_the_readmes_models_compile_to_contracts_with_their_rules(shop: SimpleNamespace) -> None:
    shops, sales = (source.contract for source in shop.scope["SOURCES"])
    assert shops.natural_key == ("shop_id",)
    assert sales.natural_key == ("shop_id", "receipt")
    assert [reference.table for reference in sales.references] == ["shops"]
    assert [check.name for check in sales.row_checks] == ["sale_not_overpaid"]


def test_the_readmes_notebook_gives_the_verdicts_that_it_promises(shop: SimpleNamespace) -> None:
    exec(compile(shop.session, "README.md", "exec"), shop.scope)
    verdict = shop.scope["verdict"]
    assert verdict.rows.to_pylist() == [{"shop_id": 1, "name": "Centro"}]
    assert [(r["field"], r["code"]) for r in verdict.reasons.to_pylist()] == [
        ("shop_id", "min_value"),
        ("name", "blank"),
    ]
