"""Backups in the admin: what is shown, what is done, who may, and what the log keeps of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from backups.backing_up.backup import backup
from backups.models import Backup, Restore
from core.postgres.fingerprint import Fingerprint
from tests.support.access.people import browser
from tests.support.backups.admin import CATALOGUE, send, shelves
from tests.support.backups.people import EVERYTHING, person
from tests.support.backups.runs import content, library, name_of
from tests.support.desk.admin_pages import page
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed", "store")


@dataclass(frozen=True)
class Damaged:
    """A backup of a table that is not as it was, and how it was."""

    row: Backup
    before: Fingerprint


def test_the_catalogue_shows_size_rows_age_and_marks(ana: Client) -> None:
    row = shelves()
    html = page(ana, CATALOGUE)
    assert ">shelves</a>" in html
    assert re.search(
        r'field-age"><span title="[-0-9: ]+">0\xa0minutes<.*field-rows_held">3<.*field-size">[\d.]+ KiB<',
        html,
        re.DOTALL,
    )
    assert re.search(r'field-verified"><img[^>]*alt="True".*field-drilled"><img[^>]*alt="None"', html, re.DOTALL)
    assert f"run__exact={row.run}" in html


def test_a_backup_shows_where_its_file_is_and_its_hash(ana: Client) -> None:
    row = shelves()
    detail = page(ana, f"{CATALOGUE}{row.pk}/change/")
    assert row.sha256 in detail
    assert f"default/{name_of(row.path)}" in detail


def test_the_catalogue_leads_to_a_backup_now(ana: Client) -> None:
    assert "Back up now" in page(ana, CATALOGUE)


def test_back_up_now_proposes_the_tables_of_the_command(ana: Client) -> None:
    form = page(ana, f"{CATALOGUE}back-up-now/")
    assert re.search(r'value="olist_orders"[^>]*checked', form)
    assert not re.search(r'value="shelves"[^>]*checked', form)
    assert "auth_user" not in form


def test_back_up_now_backs_up_the_chosen_tables(ana: Client) -> None:
    library()
    answer = send(ana, f"{CATALOGUE}back-up-now/", tables=["shelves", "books"])
    assert "2 tables were backed up" in answer.content.decode()
    assert set(Backup.objects.values_list("table", "status", "user__username")) == {
        ("shelves", "done", "ana"),
        ("books", "done", "ana"),
    }
    assert LogEntry.objects.filter(user__username="ana", action_flag=1).count() == 2


def test_what_cannot_be_backed_up_is_said(ana: Client) -> None:
    query("insert into specimens (id, at) values (1, 'infinity')")
    assert "it holds a value" in send(ana, f"{CATALOGUE}back-up-now/", tables=["specimens"]).content.decode()


def test_a_table_that_guards_the_site_is_no_choice(ana: Client) -> None:
    refused = send(ana, f"{CATALOGUE}back-up-now/", tables=["auth_user"])
    assert "is not one of the available choices" in refused.content.decode()


def test_a_check_that_waits_for_a_worker_is_not_said_to_be_done(ana: Client, settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    said = send(ana, CATALOGUE, action="verify", _selected_action=str(shelves().pk)).content.decode()
    assert ": to be verified when a worker comes to it." in said
    assert ": verified." not in said


def test_backups_are_drilled_from_the_list(ana: Client) -> None:
    row = shelves()
    said = send(ana, CATALOGUE, action="drill", _selected_action=str(row.pk)).content.decode()
    assert "verified and drilled" in said
    row.refresh_from_db()
    assert row.drilled_at is not None
    assert LogEntry.objects.count() == 1


def test_a_damaged_backup_is_found_from_the_list_and_loses_its_mark(ana: Client, store: Path) -> None:
    row = shelves()
    (file,) = store.rglob("*.parquet")
    file.write_bytes(b"PAR1")
    said = send(ana, CATALOGUE, action="verify", _selected_action=str(row.pk)).content.decode()
    assert "is not the backup that was written" in said
    row.refresh_from_db()
    assert row.verified_at is None
    assert LogEntry.objects.count() == 1


@pytest.fixture
def damaged(committed: None, store: Path) -> Damaged:
    """The backup of shelves of which, since, one was changed and one added."""
    row = shelves()
    before = content("shelves")
    query("update shelves set size = 9 where id = 1")
    query("insert into shelves (id, name, size) values (4, 'new', 1)")
    return Damaged(row, before)


def dry_run(client: Client, row: Backup) -> Any:
    """Ask for a restore by merging, which is tried out first."""
    return send(client, f"{CATALOGUE}{row.pk}/restore/", mode="merge")


def confirmation(shown: Any) -> str:
    """Return the page to which a dry run led."""
    address: str = shown.redirect_chain[-1][0]
    return address.removeprefix("/admin/")


def test_a_backup_leads_to_a_restore(ana: Client) -> None:
    assert "Restore…" in page(ana, f"{CATALOGUE}{shelves().pk}/change/")


def test_a_restore_has_a_page_where_it_is_asked_for(ana: Client) -> None:
    page(ana, f"{CATALOGUE}{shelves().pk}/restore/")


def test_a_restore_shows_its_dry_run_first(ana: Client, damaged: Damaged) -> None:
    now = content("shelves")
    html = dry_run(ana, damaged.row).content.decode()
    assert "<code>~ name north: size 9 -&gt; 1</code>" in html
    assert "<code>- name new</code>" in html
    assert content("shelves") == now


def test_a_wide_dry_run_is_scrolled_by_itself_also_by_keys(ana: Client, damaged: Damaged) -> None:
    assert '<div class="module backups-report" tabindex="0" role="region"' in dry_run(ana, damaged.row).content.decode()
    styles = Path(finders.find("backups/admin.css") or "").read_text()
    assert re.search(r"\.backups-report \{[^}]*overflow-x: auto", styles)


@pytest.mark.parametrize("typed", ["", "Shelves", "books"])
def test_a_restore_wants_the_name_typed(ana: Client, damaged: Damaged, typed: str) -> None:
    now = content("shelves")
    confirm = confirmation(dry_run(ana, damaged.row))
    assert "errorlist" in send(ana, confirm, table=typed).content.decode()
    assert content("shelves") == now


def test_a_restore_with_the_name_typed_is_done_and_kept_in_both_logs(ana: Client, damaged: Damaged) -> None:
    confirm = confirmation(dry_run(ana, damaged.row))
    done = send(ana, confirm, table="shelves").content.decode()
    assert "verified by fingerprint and committed" in done
    assert "3 rows restored (0 added, 1 changed, 1 removed)" in done
    assert content("shelves") == damaged.before
    assert list(Restore.objects.order_by("started_at").values_list("dry_run", "mode", "user__username")) == [
        (True, "merge", "ana"),
        (False, "merge", "ana"),
    ]
    assert [str(entry.change_message).split()[0] for entry in LogEntry.objects.order_by("pk")] == ["Dry", "Restored"]


@pytest.fixture
def would_leave_orphans(ana: Client) -> Any:
    """The dry run of a restore of shelves, after a book has come that stands on a newer shelf."""
    query("insert into shelves (id, name, size) values (1, 'north', 1)")
    backup(["shelves"])
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    query("insert into books (id, shelf_id, title) values (9, 9, 'orphan')")
    return send(ana, f"{CATALOGUE}{Backup.objects.get().pk}/restore/", mode="")


def test_a_dry_run_says_that_the_restore_would_be_refused(would_leave_orphans: Any) -> None:
    assert "It would be refused: 1 rows of books" in would_leave_orphans.content.decode()


def test_a_restore_that_would_leave_orphans_cannot_be_confirmed(ana: Client, would_leave_orphans: Any) -> None:
    path = would_leave_orphans.redirect_chain[-1][0].removeprefix("/admin/")
    assert send(ana, path, table="shelves").status_code == 403


def test_a_lost_file_is_said_by_the_dry_run(ana: Client, store: Path) -> None:
    row = shelves()
    next(store.rglob("*.parquet")).unlink()
    shown = send(ana, f"{CATALOGUE}{row.pk}/restore/", mode="").content.decode()
    assert "is not there" in shown
    assert "Type the table" not in shown


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("add_backup", "back-up-now/"),
        ("restore_backup", "{row}/restore/"),
        ("restore_backup", "{row}/restore/{restore}/"),
        ("view_backup", ""),
    ],
)
def test_each_right_is_asked_for(missing: str, path: str) -> None:
    some = browser(person(*(right for right in EVERYTHING if right != missing)))
    row = Backup.objects.create(table="shelves", path="/x", status="done")
    restore = Restore.objects.create(table="shelves", path="/x", backup=row, dry_run=True, status="done")
    full = CATALOGUE + path.format(row=row.pk, restore=restore.pk)
    page(some, full, status=403)
    assert send(some, full, table="shelves", tables=["shelves"]).status_code == 403
    assert Backup.objects.count() == Restore.objects.count() == 1


@pytest.fixture
def viewer(committed: None) -> Client:
    """The browser of one who may view backups and nothing else."""
    return browser(person("view_backup", "view_restore"))


def test_without_the_rights_the_pages_do_not_offer_them(viewer: Client) -> None:
    row = shelves()
    html = page(viewer, CATALOGUE) + page(viewer, f"{CATALOGUE}{row.pk}/change/")
    assert not re.search("Back up now|Restore…|Verify: read", html)


def test_who_may_not_view_users_is_led_to_none(viewer: Client) -> None:
    row = shelves()
    Backup.objects.update(user=User.objects.get())
    html = page(viewer, f"{CATALOGUE}{row.pk}/change/")
    assert User.objects.get().username in html
    assert "/admin/auth/user/" not in html


def test_without_the_right_nothing_is_verified_from_the_list(viewer: Client) -> None:
    send(viewer, CATALOGUE, action="verify", _selected_action=str(shelves().pk))
    assert not LogEntry.objects.exists()


@pytest.fixture
def of_users(committed: None) -> Backup:
    return Backup.objects.create(table="auth_user", path="/x", status="done")


@pytest.fixture
def root(committed: None) -> Client:
    return browser(person(superuser=True, name="root"))


@pytest.mark.usefixtures("of_users")
def test_backups_of_users_are_not_listed_for_others(ana: Client) -> None:
    assert "auth_user" not in page(ana, CATALOGUE).partition('id="changelist"')[2]


def test_backups_of_users_are_not_restored_by_others(ana: Client, of_users: Backup) -> None:
    page(ana, f"{CATALOGUE}{of_users.pk}/restore/", status=404)


def test_backups_of_users_are_restored_by_superusers(root: Client, of_users: Backup) -> None:
    page(root, f"{CATALOGUE}{of_users.pk}/restore/")


def test_users_are_backed_up_by_superusers(root: Client) -> None:
    assert "auth_user" in page(root, f"{CATALOGUE}back-up-now/")
