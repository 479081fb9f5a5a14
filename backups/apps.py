"""The Django app."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Any Django model to Parquet and back."""

    name = "backups"

    def ready(self) -> None:
        """Register the system checks."""
        from backups import system_checks  # noqa: F401 - importing is registering, Django's way
