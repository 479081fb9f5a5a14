"""Backups in the admin."""

from backups.admin.admin import BackupAdmin, BackupScheduleAdmin, RestoreAdmin

__all__ = ["BackupAdmin", "BackupScheduleAdmin", "RestoreAdmin"]
