"""Recipes: what each way of repairing makes of the values of one field."""

from typing import Any

import pytest

from core.json_scanner import scan
from ingest.desk.bulk.recipe import UNCHANGED, UNKEPT, UNREADABLE, Recipe, from_json
from ingest.desk.pages.bulk_forms import RecipeForm, entered


def made(recipe: Recipe, *values: Any) -> list[Any]:
    """Return what the recipe makes of records with these values (``...``: none), None where it changes nothing."""
    records = [{"a": "1"} if value is ... else {"a": "1", "b": value} for value in values]
    corrected = recipe.corrected(records)
    return [None if record == UNCHANGED else _b(record) for record in corrected]


def _b(record: Any) -> Any:
    assert isinstance(record, dict)
    return record.get("b", ...)


@pytest.mark.parametrize(
    ("recipe", "values", "becomes"),
    [
        (Recipe(field="b", how="set", put="x"), ["y", "x", "", None, ..., True], ["x", None, "x", "x", "x", "x"]),
        (Recipe(field="b", how="remove"), ["y", "", None, ..., {"c": 1}], [..., ..., ..., None, ...]),
        (Recipe(field="b", how="replace", find=",", put="."), ["1,5", "1.5", None, True], ["1.5", None, None, None]),
        (Recipe(field="b", how="replace", find="x", put=""), ["x", "xy"], [..., "y"]),
        (
            Recipe(field="b", how="replace", find=r"^(\d\d)/(\d\d)/(\d{4})$", put=r"\3-\2-\1", pattern=True),
            ["31/12/2017", "2017-12-31"],
            ["2017-12-31", None],
        ),
        (Recipe(field="b", how="replace", find="(", put="["), ["a(b"], ["a[b"]),
        (Recipe(field="b", how="strip"), ["\u00a0a b ", "a"], ["a b", None]),
        (Recipe(field="b", how="strip", find="R$ "), ["R$ 10", "10 R", "10"], ["10", "10", None]),
        (
            Recipe(field="b", how="map", pairs=(("rio", "RJ"), ("", "SP"), ("-", ""))),
            ["rio", " rio", "SP", "", ..., "-", False],
            ["RJ", "RJ", None, "SP", "SP", ..., None],
        ),
    ],
)
def test_each_way_of_repairing(recipe: Recipe, values: list[Any], becomes: list[Any]) -> None:
    assert made(recipe, *values) == becomes
    assert from_json(recipe.as_json()) == recipe
    assert recipe.in_words()
    form = RecipeForm("b", {name: value for name, value in entered(recipe).items() if value is not False})
    assert form.is_valid(), form.errors
    assert form.recipe() == recipe


def test_a_record_keeps_all_its_other_values_or_is_left_alone() -> None:
    recipe = Recipe(field="b", how="set", put="x")
    twice = scan('{"a": 1, "a": 2, "b": 3}', 0).value
    nan = scan('{"a": "1", "b": NaN}', 0).value
    assert recipe.corrected([None, [1], {"b": "y", "a": "\x00"}, {"b": "y", "a": "\ud800"}, twice, nan]) == [
        *[UNREADABLE] * 2,
        *[UNKEPT] * 3,
        {"a": "1", "b": "x"},
    ]
    (made,) = recipe.corrected([{"c": "1", "b": "y\x00", "a": "2"}])
    assert list(made) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"how": "set"}, "to empty the field, leave it out"),
        ({"how": "replace"}, "Enter the text"),
        ({"how": "replace", "find": "(", "pattern": "on"}, "no regular expression of RE2"),
        ({"how": "replace", "find": "a", "put": r"\7", "pattern": "on"}, "no regular expression of RE2"),
        ({"how": "map", "pairs": "a b"}, "There is no ="),
        ({"how": "map", "pairs": "a =>"}, "No line has a new value"),
        ({"how": "map", "pairs": "a => 1\na => 2"}, "stands on two lines"),
        ({"how": "map", "pairs": "\n".join(f"{n} => x" for n in range(501))}, "At most 500"),
        ({"how": "drop table"}, "valid choice"),
        ({}, "required"),
    ],
)
def test_a_recipe_that_says_too_little_is_refused_in_words(given: dict[str, str], said: str) -> None:
    form = RecipeForm("b", given)
    assert not form.is_valid()
    assert said in str(form.errors).replace("&gt;", ">")
