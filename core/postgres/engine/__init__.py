"""Django's engine for PostgreSQL, whose sessions mean the same whatever the role, the database or the server sets.

``ENGINE = "core.postgres.engine"`` in the settings; the engine of the embedded server is built on it.
"""
