"""The form of a recipe."""

from typing import Any

import pyarrow as pa
from django import forms

from ingest.desk.bulk.recipe import HOWS, NOTHING, Recipe

MAX_TEXT = 500  # characters
MAX_PAIRS = 500
ARROW = "=>"
_LABELS = {
    "set": "Set it to one value",
    "replace": "Replace a text in it",
    "strip": "Strip characters from both ends",
    "map": "Map values to others",
    "remove": "Leave the field out",
}


class RecipeForm(forms.Form):
    """What is done to one field; each way of doing it has inputs of its own."""

    how = forms.ChoiceField(
        label="What is done to it", choices=[(how, _LABELS[how]) for how in HOWS], widget=forms.RadioSelect
    )
    value = forms.CharField(label="Value", required=False, strip=False, max_length=MAX_TEXT)
    find = forms.CharField(label="Find", required=False, strip=False, max_length=MAX_TEXT)
    put = forms.CharField(label="Replace by", required=False, strip=False, max_length=MAX_TEXT)
    pattern = forms.BooleanField(label="Find is a regular expression (RE2); \\1 is its first group", required=False)
    characters = forms.CharField(
        label="Characters", required=False, strip=False, max_length=50, help_text="White space, where none are given."
    )
    pairs = forms.CharField(
        label="Values",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=f"One a line: old {ARROW} new. {NOTHING} means no value; a line without a new value does nothing.",
    )

    def __init__(self, field: str, *args: Any, **options: Any) -> None:
        self.field = field
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        """Ask for what the way that was chosen needs, and try it."""
        cleaned = super().clean() or {}
        check = {"set": self._clean_set, "replace": self._clean_replace, "map": self._clean_map}.get(
            cleaned.get("how", "")
        )
        if check and not self.errors:
            check(cleaned)
        return cleaned

    def _clean_set(self, cleaned: dict[str, Any]) -> None:
        if not cleaned["value"]:
            self.add_error("value", "Enter the value; to empty the field, leave it out.")

    def _clean_replace(self, cleaned: dict[str, Any]) -> None:
        if not cleaned["find"]:
            self.add_error("find", "Enter the text to be replaced.")
            return
        try:
            self.recipe().apply(pa.array(["x"]))
        except pa.ArrowInvalid as problem:
            self.add_error("find", f"This is no regular expression of RE2: {problem}")

    def _clean_map(self, cleaned: dict[str, Any]) -> None:
        lines = [line for line in cleaned["pairs"].splitlines() if line.strip()]
        wrong = [line for line in lines if ARROW not in line]
        pairs = _pairs(cleaned["pairs"])
        if wrong:
            self.add_error("pairs", f"There is no {ARROW} in “{wrong[0][:60]}”.")
        elif not pairs:
            self.add_error("pairs", f"No line has a new value behind its {ARROW}.")
        elif len(pairs) > MAX_PAIRS:
            self.add_error("pairs", f"At most {MAX_PAIRS} values.")
        elif len({before for before, _ in pairs}) < len(pairs):
            self.add_error("pairs", "The same old value stands on two lines.")

    def recipe(self) -> Recipe:
        """Return the recipe that was entered."""
        cleaned = self.cleaned_data
        how = cleaned["how"]
        return Recipe(
            field=self.field,
            how=how,
            find={"replace": cleaned["find"], "strip": cleaned["characters"]}.get(how, ""),
            put={"replace": cleaned["put"], "set": cleaned["value"]}.get(how, ""),
            pattern=how == "replace" and cleaned["pattern"],
            pairs=_pairs(cleaned["pairs"]) if how == "map" else (),
        )


def entered(recipe: Recipe) -> dict[str, Any]:
    """Return what a form would hold to make this recipe."""
    return {
        "how": recipe.how,
        "value": recipe.put if recipe.how == "set" else "",
        "find": recipe.find if recipe.how == "replace" else "",
        "put": recipe.put if recipe.how == "replace" else "",
        "pattern": recipe.pattern,
        "characters": recipe.find if recipe.how == "strip" else "",
        "pairs": as_lines(recipe.pairs),
    }


def as_lines(pairs: Any) -> str:
    """Write the pairs of a map, one a line; a pair without a new value (None) is left to be filled in."""
    return "\n".join(
        f"{before or NOTHING} {ARROW} {'' if after is None else after or NOTHING}".rstrip() for before, after in pairs
    )


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    lines = [line.partition(ARROW) for line in text.splitlines() if ARROW in line]
    return tuple((_value(before), _value(after)) for before, _, after in lines if after.strip())


def _value(text: str) -> str:
    return "" if text.strip() == NOTHING else text.strip()
