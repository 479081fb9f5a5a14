"""Addresses of backups and restores, below ``/api/v1/``."""

from django.urls import path

from backups.api.backups import BackupDetail, BackupRestore, Backups, BackupVerify
from backups.api.restores import RestoreDetail, Restores
from core.web.urls import exactly

app_name = "backups_api"
urlpatterns = [
    path("backups/", exactly(Backups), name="backups"),
    path("backups/<uuid:number>/", exactly(BackupDetail), name="backup"),
    path("backups/<uuid:number>/verify/", exactly(BackupVerify), name="verify"),
    path("backups/<uuid:number>/restore/", exactly(BackupRestore), name="restore_from"),
    path("restores/", exactly(Restores), name="restores"),
    path("restores/<uuid:number>/", exactly(RestoreDetail), name="restore"),
]
