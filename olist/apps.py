"""The Django app."""

from django.apps import AppConfig


class OlistConfig(AppConfig):
    """Olist."""

    name = "olist"
