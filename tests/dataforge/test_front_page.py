"""The front page shows what each room has to say."""

import pytest

from tests.support.desk.admin_pages import page, signed_in

pytestmark = pytest.mark.django_db


def test_the_front_page_says_how_backups_stand_to_those_who_may_see_them() -> None:
    assert "There is no verified backup." in page(signed_in(superuser=True), "")


def test_the_front_page_keeps_backups_from_others() -> None:
    html = page(signed_in(may_view=("ingest.batch",)), "")
    assert "Latest batches" in html
    assert "verified backup" not in html
