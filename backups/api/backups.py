"""``/api/v1/backups/``: back tables up, see what there is, verify it, restore it."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.authentication import sender
from access.idempotency import Answer, claim_of, once
from backups.api import openapi
from backups.api.answers import accepted, read, require, require_reach
from backups.api.lists import BACKUPS
from backups.api.names import known_table
from backups.api.serializers import (
    BackupRequest,
    BackupRunSerializer,
    BackupSerializer,
    RestoreRequest,
    RestoreSerializer,
    VerifyRequest,
)
from backups.catalogue.liveness import close_abandoned
from backups.catalogue.rights import BACK_UP, RESTORE, VERIFY, with_descendants
from backups.catalogue.told import family
from backups.models import Backup, Restore, Status
from backups.tasks import ask_for_check, enter_backup, enter_restore, start_backup, start_restore
from core.web.problems import Problem
from core.web.request_bodies import JsonParser, body_of
from core.web.things import ThingView


class Backups(APIView):
    """Back tables up, or list backups."""

    parser_classes = (JsonParser,)

    @openapi.posts_backup
    def post(self, request: Request) -> HttpResponse:
        """Back up tables as one snapshot of them has them, all or none."""
        require(request, BACK_UP)
        asked = read(request, BackupRequest)
        tables = tuple(dict.fromkeys(map(known_table, asked["tables"])))
        require_reach(request, tables)
        claim = claim_of(request, body_of(request))

        def carry_out(run: str) -> Answer | None:
            status = _status(Backup.objects.filter(run=run))
            if status == Status.FAILED:
                return None
            failure = start_backup(UUID(run)) if status == Status.QUEUED else None
            rows = list(BACKUPS.rows(request).filter(run=run).order_by("table"))
            document = BackupRunSerializer({"run": run, "results": rows}, context={"request": request}).data
            location = f"{reverse('backups_api:backups')}?run={run}"
            told = failure and failure.told(request.user, tables, f"{rows[0].path}/")
            return accepted(document, location=location, failure=told)

        user = sender(request)[0]
        return once(
            claim, enter=lambda: str(enter_backup(tables, user=user, store=asked["store"])), carry_out=carry_out
        ).response()

    @openapi.lists_backups
    def get(self, request: Request) -> Response:
        """List backups, the latest first."""
        return BACKUPS.page(request)


class _OneBackup(ThingView):
    """What stands at a backup's number."""

    def find(self, request: Request, number: UUID, /) -> Backup:
        """Find a backup, for whoever may view them."""
        return BACKUPS.one(request, number)


class BackupDetail(_OneBackup):
    """One backup."""

    @openapi.shows_backup
    def get(self, request: Request, number: UUID) -> Response:
        """Return a backup."""
        return Response(BackupSerializer(self.thing, context={"request": request}).data)


class BackupVerify(_OneBackup):
    """Verifications."""

    parser_classes = (JsonParser,)

    @openapi.verifies_backup
    def post(self, request: Request, number: UUID) -> HttpResponse:
        """Read a backup whole and compare it with its manifest; with drill, let PostgreSQL restore it aside."""
        require(request, VERIFY)
        asked = read(request, VerifyRequest)
        backup = self.thing
        claim = claim_of(request, body_of(request))

        def carry_out(_: str) -> Answer:  # to look once more, where a process has died over it, harms nothing
            failure = ask_for_check(backup, drill=asked["drill"], user=sender(request)[0])
            location = reverse("backups_api:backup", args=[number])
            document = BackupSerializer(self.find(request, number), context={"request": request}).data
            told = failure and failure.told(request.user, [backup.table], backup.path)
            return accepted(document, location=location, failure=told)

        return once(claim, enter=lambda: str(_with_file(backup).pk), carry_out=carry_out).response()


class BackupRestore(_OneBackup):
    """Restores from one backup."""

    parser_classes = (JsonParser,)

    @openapi.restores_backup
    def post(self, request: Request, number: UUID) -> HttpResponse:
        """Bring a table back to this backup, verified before it is committed; what was there is backed up first."""
        require(request, RESTORE)
        asked = read(request, RestoreRequest)
        backup = self.thing
        known_table(backup.table)
        if asked["with_children"]:
            require_reach(request, with_descendants(backup.table))
        key = claim_of(request, body_of(request))
        claim = None if asked["dry_run"] else key

        def enter() -> str:
            options = {name: asked[name] for name in ("with_children", "dry_run")}
            row = enter_restore(_with_file(backup), mode=asked.get("mode"), user=sender(request)[0], **options)
            return str(row.pk)

        def carry_out(restore: str) -> Answer | None:
            status = _status(Restore.objects.filter(pk=restore))
            if status == Status.FAILED:
                return None
            row = Restore.objects.select_related("user").get(pk=restore)
            failure = start_restore(row) if status == Status.QUEUED else None
            location = reverse("backups_api:restore", args=[row.pk])
            document = RestoreSerializer(row, context={"request": request}).data
            told = failure and failure.told(request.user, family(row.table), row.path)
            return accepted(document, location=location, failure=told)

        return once(claim, enter=enter, carry_out=carry_out).response()


def _status(rows: QuerySet[Any]) -> str:
    """Return where work stands, all rows alike; what a process died over has failed, and so has what is gone."""
    status = rows.values_list("status", flat=True)
    if Status.RUNNING in status:
        close_abandoned()
    return str(status.all().first() or Status.FAILED)


def _with_file(backup: Backup) -> Backup:
    """Raise Problem 409 for a backup that is not finished, or whose file is gone."""
    if backup.status != Status.DONE:
        detail = f"This backup is {backup.get_status_display()}: there is no file to read."
        raise Problem(HTTPStatus.CONFLICT, detail, code="no_file", status_of_backup=backup.status)
    return backup
