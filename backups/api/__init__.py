"""The HTTP API of backups, below ``/api/v1/``: staff only."""
