"""The Django app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may call the HTTP API, and how much; what every answer of it has in common."""

    name = "access"
    verbose_name = "API access"
