"""The pages of one reject: its detail, the form that repairs it, and its dismissal."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from ingest.desk.actions import rights
from ingest.desk.actions.replay import MAX_NOTE, dismiss, replay_one
from ingest.desk.pages.html import status_chip, whereabouts
from ingest.desk.pages.messages import act, tell_replayed
from ingest.desk.pages.reject_details import details_of
from ingest.desk.pages.reject_lines import broken_checks, general_reasons, lines_of
from ingest.desk.pages.repair_form import RepairForm
from ingest.models import RejectedRecord
from ingest.rights import may_rows, viewable_tables
from ingest.rules.sources import find_source
from ingest.table_admin.big_tables import BigTableAdmin
from ingest.table_admin.values import bytes_as_text


class RejectPages:
    """Views of one reject, for whoever may see it."""

    def __init__(self, model_admin: BigTableAdmin) -> None:
        self._admin = model_admin

    def detail(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the raw record beside its reasons, its kin and its history."""
        reject = self._find(request, number)
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        source = find_source(reject.table)
        context = self._context(request, reject) | {
            "lines": lines_of(reject, source) if source else (),
            "checks": broken_checks(reject.reasons, source.contract) if source else {},
            "details": details_of(reject, request.user),
        }
        return TemplateResponse(request, "ingest/desk/reject.html", context)

    def repair(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the form, and replay what is entered in it."""
        reject = self._find(request, number)
        source = find_source(reject.table)
        if source is None or not self._may_repair(request, reject):
            raise PermissionDenied
        if request.method != "POST":
            if reject.status != RejectedRecord.Status.OPEN:
                messages.info(request, f"Record {number} is closed already: {reject.get_status_display()}.")
                return self._back(number)
            return self._form(request, reject, RepairForm(reject, source))
        form = RepairForm(reject, source, request.POST)
        if form.is_valid() and self._replay(request, reject, form):
            return self._back(number)
        return self._form(request, reject, form)

    def replay(self, request: HttpRequest, number: int) -> HttpResponse:
        """Replay it as it is."""
        reject = self._find(request, number)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self._may_repair(request, reject):
            raise PermissionDenied
        user: Any = request.user
        done = act(request, lambda: replay_one(number, user=user, may_replay=rights.replayer(user)))
        if done:
            tell_replayed(request, number, done)
        return self._back(number)

    def dismiss(self, request: HttpRequest, number: int) -> HttpResponse:
        """Close it with a note."""
        self._find(request, number)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not rights.may(request.user, "dismiss"):
            raise PermissionDenied
        why, user = request.POST.get("why", "").strip()[:MAX_NOTE], request.user
        if not why:
            messages.error(request, "Say why the record is dismissed: the note is kept with it.")
            return self._back(number)
        tables = viewable_tables(request.user)
        closed = act(request, lambda: dismiss([number], tables=tables, why=why, user=user))  # type: ignore[arg-type]
        if closed:
            messages.success(request, f"Record {number} is dismissed.")
        elif closed is not None:
            messages.error(request, f"Record {number} was closed already, by somebody else.")
        return self._back(number)

    def _replay(self, request: HttpRequest, reject: RejectedRecord, form: RepairForm) -> bool:
        """Replay a form; False where it is to be shown again, with the reasons beside its fields."""
        user: Any = request.user
        changed = form.changed()
        tries = request.POST.get("tries", "")
        done = act(
            request,
            lambda: replay_one(
                reject.pk,
                user=user,
                may_replay=rights.replayer(user),
                correction=form.record() if changed or reject.correction is not None else None,
                changed=changed,
                tries=int(tries) if tries.isascii() and tries.isdigit() else -1,
            ),
        )
        if done is None:
            return False
        if done.fate.outcome == "rejected":
            reject.refresh_from_db()
            form.show(done.fate.reasons)
            return False
        tell_replayed(request, reject.pk, done)
        return True

    def _form(self, request: HttpRequest, reject: RejectedRecord, form: RepairForm) -> HttpResponse:
        context = self._context(request, reject) | {"form": form, "title": f"Repair a record of {reject.table}"}
        return TemplateResponse(request, "ingest/desk/repair.html", context)

    def _context(self, request: HttpRequest, reject: RejectedRecord) -> dict[str, Any]:
        is_open = reject.status == RejectedRecord.Status.OPEN
        atomic = reject.last_batch.options.get("mode") == "atomic"
        return {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "reject": reject,
            "title": f"Record refused from {reject.table}",
            "subtitle": None,
            "media": self._admin.media,
            "status": status_chip(reject),
            "where": whereabouts(reject),
            "raw": bytes_as_text(reject.raw),
            "sha256": bytes(reject.raw_sha256).hex(),
            "general": general_reasons(reject),
            "atomic": atomic,
            "may_repair": is_open and not atomic and self._may_repair(request, reject),
            "may_dismiss": is_open and rights.may(request.user, "dismiss"),
            "max_note": MAX_NOTE,
        }

    def _find(self, request: HttpRequest, number: int) -> RejectedRecord:
        if not self._admin.has_view_permission(request):
            raise PermissionDenied
        rows = self._admin.get_queryset(request).select_related("batch", "last_batch", "closed_by")
        reject: RejectedRecord | None = rows.filter(pk=number).first()
        if reject is None:
            raise Http404
        return reject

    def _may_repair(self, request: HttpRequest, reject: RejectedRecord) -> bool:
        return rights.may(request.user, "repair") and may_rows(request.user, reject.table, "change")

    def _back(self, number: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:ingest_rejectedrecord_change", args=[number]))
