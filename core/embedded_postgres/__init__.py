"""A PostgreSQL 18 of the project's own, for machines where no server is named: a Django database engine.

With ``ENGINE = "core.embedded_postgres"`` and ``OPTIONS = {"folder": ...}`` in the settings the server starts
with the first connection, is shared by every process that uses the folder, and is stopped by the last of them.
"""

from core.embedded_postgres.server import USER, binary, is_running, join, stop

__all__ = ["USER", "binary", "is_running", "join", "stop"]
