"""Models of nobody's dataset, for what the nine tables do not have."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:  # Django's fields are generic for the type checker only
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class PostgresField(_Field):
    """A column of a type that Django has no field for."""

    def __init__(self, postgres_type: str, **options: Any) -> None:
        self.postgres_type = postgres_type
        super().__init__(**options)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.postgres_type


class Specimen(models.Model):
    """One column of each type that a backup holds."""

    text = models.TextField(null=True)
    code = models.CharField(max_length=20, null=True)
    small = models.SmallIntegerField(null=True)
    number = models.IntegerField(null=True)
    big = models.BigIntegerField(null=True)
    point = models.FloatField(null=True)
    ratio = PostgresField("real", null=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    fine = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    at = PostgresField("timestamp", null=True)
    seen = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    flag = models.BooleanField(null=True)
    key = models.UUIDField(null=True, default=uuid.uuid4)
    data = models.JSONField(null=True)
    raw = models.BinaryField(null=True)
    tags = ArrayField(models.TextField(null=True), null=True)

    class Meta:
        app_label = "backups"
        db_table = "specimens"


class Shelf(models.Model):
    """A parent, with a name that is unique and may move to another shelf."""

    name = models.CharField(max_length=20, unique=True)
    size = models.IntegerField(default=1)
    twice = models.GeneratedField(expression=models.F("size") * 2, output_field=models.IntegerField(), db_persist=True)

    class Meta:
        app_label = "backups"
        db_table = "shelves"


class Book(models.Model):
    """A child, and, by ``sequel_of``, a parent of its own kind."""

    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT)
    title = models.TextField()
    sequel_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True)

    class Meta:
        app_label = "backups"
        db_table = "books"
        constraints: ClassVar = [
            models.CheckConstraint(name="books_titled", condition=~models.Q(title="")),
        ]


class Loan(models.Model):
    """A grandchild."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT)

    class Meta:
        app_label = "backups"
        db_table = "loans"


class Visit(models.Model):
    """Far from all of them, with a type that no file holds."""

    host = models.GenericIPAddressField(null=True)
    length = models.DurationField(null=True)

    class Meta:
        app_label = "backups"
        db_table = "visits"


MODELS = (Specimen, Shelf, Book, Loan, Visit)
