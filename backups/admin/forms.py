"""Forms of the admin: which tables, how to restore, a table's name typed, a schedule."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

from backups.catalogue.rights import out_of_reach
from backups.files.named_stores import DEFAULT, store_names
from backups.models import BackupSchedule, Restore
from backups.tables import all_tables, known_models

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelForm = forms.ModelForm[BackupSchedule]
else:
    _ModelForm = forms.ModelForm


def table_choices(user: Any, also: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Name the tables that a user may back up, those of --all first."""
    usual = all_tables()
    names = [*usual, *sorted({*known_models(), *also} - set(usual))]
    beyond = set(out_of_reach(user, names))
    return [(name, name) for name in names if name not in beyond]


def store_choices(chosen: str) -> list[tuple[str, str]]:
    """Name the stores of the settings; before them ``chosen``, where it is none of them: no other is taken for it."""
    names = [(name, name) for name in store_names()]
    if chosen in store_names():
        return names
    return [(chosen, f"{chosen} (not in the settings any more)" if chosen else "Choose one"), *names]


class BackUpForm(forms.Form):
    """Which tables are to be backed up now; and to which store, where the settings name several."""

    tables = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    store = forms.ChoiceField(initial=DEFAULT, help_text="Stores are named in the settings.")

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        choices, usual = table_choices(user), set(all_tables())
        self.fields["tables"].choices = choices  # type: ignore[attr-defined]  # of this kind of field
        self.fields["tables"].initial = [name for name, _ in choices if name in usual]
        self.fields["store"].choices = store_choices(DEFAULT)  # type: ignore[attr-defined]
        if len(store_names()) == 1:
            del self.fields["store"]


class DryRunForm(forms.Form):
    """How a backup is to be restored."""

    mode = forms.ChoiceField(
        choices=[
            ("", "What fits: merge where at most a fifth of the rows differs"),
            (Restore.Mode.MERGE, "Merge: write only the rows that differ; readers are let in"),
            (Restore.Mode.REPLACE, "Replace: empty the table and fill it anew"),
        ],
        required=False,
    )
    with_children = forms.BooleanField(
        required=False, label="With its children", help_text="Also the tables that refer to it, of the same snapshot."
    )


class TypedNameForm(forms.Form):
    """The name of the table, typed by hand."""

    table = forms.CharField(label="Type the table's name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, name: str, **options: Any) -> None:
        self._name = name
        super().__init__(*args, **options)

    def clean_table(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["table"]
        if typed != self._name:
            raise forms.ValidationError(f"This is not {self._name}.")
        return typed


class ScheduleForm(_ModelForm):
    """A schedule; what could not run is said beside its field by the model's ``clean``."""

    user: Any = None

    tables = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, help_text="None: all tables of --all."
    )

    store = forms.ChoiceField(initial=DEFAULT, help_text="Stores are named in the settings.")

    class Meta:
        model = BackupSchedule
        fields = (
            "name", "enabled", "cron", "time_zone", "tables", "store",
            "keep_last", "keep_daily", "keep_weekly", "keep_monthly",
        )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["tables"].choices = table_choices(self.user, also=self.instance.tables)  # type: ignore[attr-defined]
        self.fields["store"].choices = store_choices(self.instance.store)  # type: ignore[attr-defined]
