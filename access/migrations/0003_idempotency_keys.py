import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Keys are of every request that changes something, not only of batches: `ingest` hands over those that it has."""

    dependencies = [
        ("access", "0002_no_knox_table"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(help_text="The token's hash.", max_length=200)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(help_text="SHA-256 of the request.", max_length=64)),
                (
                    "work",
                    models.CharField(
                        blank=True,
                        help_text="The number of work that was entered for it and has no answer yet.",
                        max_length=100,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField()),
                ("answer", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["created_at"], name="access_idempotency_age")],
                "constraints": [models.UniqueConstraint(fields=("owner", "key"), name="access_idempotency_key")],
            },
        ),
    ]
