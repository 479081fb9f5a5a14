"""``manage.py dbshell``."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql import client

from core.postgres.engine import poolers, session_settings


class ShellClient(client.DatabaseClient):
    """psql, in a session that is set as those of the program are."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Return psql's command line and environment."""
        arguments, environment = super().settings_to_cmd_args_env(settings_dict, parameters)
        given = session_settings.given_options(settings_dict)
        options = (
            "" if poolers.refuses_options(settings_dict) else session_settings.startup_options(given, time_zone="UTC")
        )
        return arguments, {**(environment or {}), "PGOPTIONS": options}

    def runshell(self, parameters: Iterable[str]) -> None:
        """Run psql until its end; a connection of our own comes first, which knows a pooler that takes no options."""
        self.connection.ensure_connection()
        self.connection.close()
        super().runshell(parameters)
