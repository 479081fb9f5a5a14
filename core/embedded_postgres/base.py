"""The database engine: ours for PostgreSQL, on a server that the first connection starts."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.embedded_postgres.cluster import MAJOR_VERSION
from core.embedded_postgres.server import USER, binary, join
from core.embedded_postgres.sockets import PORT
from core.postgres.engine import base, client


class DatabaseClient(client.ShellClient):
    """``manage.py dbshell`` with the psql of the server's own version."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Start the server where it does not run, and return psql's command line and environment."""
        options = dict(settings_dict["OPTIONS"])
        socket = join(Path(options.pop("folder")), database=settings_dict["NAME"])
        server = settings_dict | {"HOST": str(socket), "PORT": PORT, "USER": USER, "OPTIONS": options}
        (_, *arguments), environment = super().settings_to_cmd_args_env(server, parameters)
        return [str(binary("psql")), *arguments], environment


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL in the folder that ``OPTIONS["folder"]`` names."""

    client_class = DatabaseClient
    # Django's system checks ask for it, and a check is no reason to start a server.
    pg_version = MAJOR_VERSION * 10_000

    def get_connection_params(self) -> dict[str, Any]:
        """Start the server where it does not run, and say where it listens. Raises EmbeddedPostgresFailed."""
        parameters = super().get_connection_params()
        folder = Path(parameters.pop("folder"))
        socket = join(folder, database=parameters["dbname"])
        return parameters | {"host": str(socket), "port": PORT, "user": USER}
