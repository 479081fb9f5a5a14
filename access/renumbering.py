"""Numbers of content types and permissions, which `migrate` gives out anew in every database."""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Model

# By what each is the same one in any database.
NAMES: dict[type[Model], tuple[str, ...]] = {
    ContentType: ("app_label", "model"),
    Permission: ("content_type_id", "codename"),
}


def take_number(row: Model, using: str) -> None:
    """Return the database's own row of this name the number that ``row`` brings, with all that points at it.

    Whoever has that number moves to a free one. Without this, a dump of one database could not be loaded into another
    whose migrations ran in another order: its content types would stand there already, under other numbers. Call it
    in a transaction: foreign keys are checked at its end.
    """
    rows = type(row)._default_manager.using(using)
    name = {field: getattr(row, field) for field in NAMES[type(row)]}
    ours = rows.filter(**name).values_list("pk", flat=True).first()
    if row.pk is None or ours == row.pk:
        return
    if rows.filter(pk=row.pk).exists():
        _move(type(row), row.pk, rows.aggregate(last=Max("pk"))["last"] + 1, using)
    if ours is not None:
        _move(type(row), ours, row.pk, using)
    ContentType.objects.clear_cache()


def _move(model: type[Model], old: int, new: int, using: str) -> None:
    model._default_manager.using(using).filter(pk=old).update(id=new)
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and (relation.one_to_many or relation.one_to_one):
            pointing: Any = relation
            those = pointing.related_model._default_manager.using(using).filter(**{pointing.field.attname: old})
            those.update(**{pointing.field.attname: new})
