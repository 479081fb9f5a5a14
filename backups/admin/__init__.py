"""Backups in the admin."""

from backups.admin.admin import BackupAdmin, RestoreAdmin
from backups.admin.schedules import BackupScheduleAdmin

__all__ = ["BackupAdmin", "BackupScheduleAdmin", "RestoreAdmin"]
