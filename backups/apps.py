"""The Django app."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Any Django model to Parquet and back."""

    name = "backups"
