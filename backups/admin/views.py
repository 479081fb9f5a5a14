"""Pages of the admin that do something: back up now; a dry run, and after it the restore."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from backups.admin.forms import BackUpForm, DryRunForm, TypedNameForm
from backups.catalogue.liveness import close_abandoned
from backups.catalogue.rights import (
    BACK_UP,
    RESTORE,
    VIEW,
    VIEW_RESTORES,
    may,
    out_of_reach,
    with_descendants,
    within_reach,
)
from backups.catalogue.told import family, told, told_fault
from backups.files.named_stores import DEFAULT, without_addresses
from backups.models import Backup, Restore, Status
from backups.tables import known_models
from backups.tasks import ask_for_backup, ask_for_restore
from core.errors import DataForgeError

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelAdmin = admin.ModelAdmin[Backup]
else:
    _ModelAdmin = admin.ModelAdmin

CATALOGUE = "admin:backups_backup_changelist"


class _Page:
    """A page below the catalogue."""

    def __init__(self, model_admin: _ModelAdmin) -> None:
        self._admin = model_admin

    def _render(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shown = {**self._admin.admin_site.each_context(request), "opts": Backup._meta, "media": self._admin.media}
        return TemplateResponse(request, f"backups/{template}.html", {**shown, **context})


class BackUpNow(_Page):
    """ "Back up now"."""

    def show(self, request: HttpRequest) -> HttpResponse:
        """Let tables be chosen, and back them up."""
        if not may(request.user, BACK_UP):
            raise PermissionDenied
        form = BackUpForm(request.POST or None, user=request.user)
        if request.method != "POST" or not form.is_valid():
            return self._render(request, "back_up_now", title="Back up now", form=form)
        try:
            asked = form.cleaned_data
            run, failure = ask_for_backup(
                asked["tables"],
                user=request.user,  # type: ignore[arg-type]  # signed in
                store=asked.get("store", DEFAULT),
            )
        except DataForgeError as error:
            messages.error(request, f"Nothing was backed up. {without_addresses(str(error))}")
            return self._render(request, "back_up_now", title="Back up now", form=form)
        rows = list(Backup.objects.filter(run=run))
        for row in rows:
            self._admin.log_addition(request, row, "Asked for in the admin.")
        if failure is not None:
            told_failure = failure.told(request.user, form.cleaned_data["tables"], f"{rows[0].path}/" if rows else "")
            messages.error(request, f"Nothing was backed up. {told_failure.text}")
        elif all(row.status == Status.DONE for row in rows):
            messages.success(request, f"{len(rows)} tables were backed up as one snapshot has them.")
        else:
            messages.info(request, f"{len(rows)} tables wait for a worker to back them up.")
        return HttpResponseRedirect(f"{reverse(CATALOGUE)}?run__exact={run}")


class RestorePage(_Page):
    """A dry run of a restore; and, when it was looked at and the table's name typed, the restore."""

    def ask(self, request: HttpRequest, number: UUID) -> HttpResponse:
        """Ask how to restore, and make a dry run."""
        backup = self._backup(request, number)
        form = DryRunForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            self._reach(request, backup, with_children=asked["with_children"])
            row, failure = self._restore(
                request, backup, mode=asked["mode"], dry_run=True, children=asked["with_children"]
            )
            if row is not None:
                self._admin.log_change(request, backup, f"Dry run of a restore: {row.pk}.")
                if failure:
                    messages.error(request, f"Nothing was changed. {failure}")
                return HttpResponseRedirect(reverse("admin:backups_restore_confirm", args=[backup.pk, row.pk]))
        return self._render(
            request, "restore", title=f"Restore {backup.table}", backup=told(request.user, backup), form=form
        )

    def confirm(self, request: HttpRequest, number: UUID, dry_run: UUID) -> HttpResponse:
        """Show the dry run, and restore as it did when the table's name is typed."""
        close_abandoned()
        backup = self._backup(request, number)
        rows = Restore.objects.filter(backup=backup, dry_run=True)
        mine = rows if may(request.user, VIEW_RESTORES) else rows.filter(user=request.user.pk)
        shown = told(request.user, get_object_or_404(mine, pk=dry_run))
        self._reach(request, backup, with_children=shown.with_children)
        report = shown.report or {}
        ready = shown.status == Status.DONE and not report.get("orphans")
        form = TypedNameForm(request.POST or None, name=backup.table)
        if request.method == "POST":
            if not ready:
                raise PermissionDenied
            if form.is_valid():
                row, failure = self._restore(
                    request, backup, mode=shown.mode, dry_run=False, children=shown.with_children
                )
                if row is not None:
                    self._admin.log_change(request, backup, f"Restored {backup.table}: {row.pk}, {row.status}.")
                    self._say(request, row, failure)
                    return HttpResponseRedirect(reverse("admin:backups_restore_change", args=[row.pk]))
        waits = shown.status in (Status.QUEUED, Status.RUNNING)
        context = {"backup": backup, "restore": shown, "report": report, "ready": ready, "waits": waits, "form": form}
        return self._render(request, "restore_confirm", title=f"Restore {backup.table}", **context)

    def _backup(self, request: HttpRequest, number: UUID) -> Backup:
        if not (may(request.user, VIEW) and may(request.user, RESTORE)):
            raise PermissionDenied
        backup: Backup = get_object_or_404(within_reach(request.user, Backup.objects.all()), pk=number)
        if backup.status != Status.DONE or backup.table not in known_models():
            raise PermissionDenied
        return backup

    def _reach(self, request: HttpRequest, backup: Backup, *, with_children: bool) -> None:
        if with_children and out_of_reach(request.user, with_descendants(backup.table)):
            raise PermissionDenied

    def _restore(
        self, request: HttpRequest, backup: Backup, *, mode: str, dry_run: bool, children: bool
    ) -> tuple[Restore | None, str]:
        user: Any = request.user
        try:
            row, failure = ask_for_restore(
                backup, mode=mode or None, with_children=children, dry_run=dry_run, user=user
            )
        except DataForgeError as error:
            messages.error(
                request, f"Nothing was changed. {told_fault(user, str(error), family(backup.table), backup.path)}"
            )
            return None, ""
        return row, failure.told(user, family(backup.table), backup.path).text if failure else ""

    def _say(self, request: HttpRequest, row: Restore, failure: str) -> None:
        if failure:
            messages.error(request, f"Nothing was changed. {failure}")
        elif row.status == Status.DONE:
            messages.success(request, f"Restored {row.table}: verified by fingerprint and committed.")
        else:
            messages.info(request, "The restore waits for a worker.")
