"""No city and no category holds a character that nobody sees."""

from django.core.management.base import CommandError
from django.db import migrations, models

from ingest.rules.fields import FieldRule, IsNormalised

_RULES = [
    ("category", "product_category_name", "olist_product_category_name_translation_product_category_na99b0"),
    ("category", "product_category_name_english", "olist_product_category_name_translation_product_category_na2d2b"),
    ("customer", "customer_city", "olist_customers_customer_city_rule"),
    ("geolocation", "geolocation_city", "olist_geolocation_geolocation_city_rule"),
    ("seller", "seller_city", "olist_sellers_seller_city_rule"),
]
_INVISIBLE = "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_OUTER = f"[^\x01-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{_INVISIBLE}]"
_PATTERN = f"^(?:{_OUTER}(?:[^\x01-\x1f\x7f-\x9f\u2028\u2029{_INVISIBLE}]*{_OUTER})?)$"


def _refuse_stored(apps, schema_editor):
    """Say which stored rows the rule refuses: PostgreSQL would only say that there is one."""
    found = []
    for model_name, column, _ in _RULES:
        rows = apps.get_model("olist", model_name).objects.filter(**{f"{column}__regex": f"[{_INVISIBLE}]"})
        example = rows.values_list(column, flat=True).first()
        if example is not None:
            found.append(f"{rows.count():,} in {rows.model._meta.db_table}.{column}, such as {ascii(example)}")
    if found:
        raise CommandError(
            f"Rows hold invisible characters, which no city and no category may: {'; '.join(found)}. Nothing was changed. "
            f"Update or delete these rows (where COLUMN ~ '[{ascii(_INVISIBLE)[1:-1]}]'; of a category, its products "
            "first or in the same transaction), then migrate again."
        )


class Migration(migrations.Migration):
    dependencies = [("olist", "0001_initial")]
    operations = [
        migrations.RunPython(_refuse_stored, migrations.RunPython.noop),
        *(migrations.RemoveConstraint(model_name=model, name=name) for model, _, name in _RULES),
        *(
            migrations.AddConstraint(
                model_name=model,
                constraint=FieldRule(
                    condition=models.Q((f"{column}__regex", _PATTERN), IsNormalised(models.F(column))), name=name
                ),
            )
            for model, column, name in _RULES
        ),
    ]
