"""The first superuser: made once, with the password that is given, or one that is shown once."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_a_password_is_made_up_and_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_admin")
    password = capsys.readouterr().out.split()[-1]
    assert User.objects.get(is_superuser=True).check_password(password)
    call_command("create_admin", name="second")
    assert capsys.readouterr().out == "There is a superuser already.\n"
    assert User.objects.count() == 1


def test_a_password_that_is_given_is_taken_and_not_shown(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ADMIN_PASSWORD = "correct horse battery"
    call_command("create_admin", name="chief")
    assert User.objects.get(username="chief").check_password("correct horse battery")
    assert "horse" not in capsys.readouterr().out


@pytest.mark.parametrize("weak", ["password", "short", "administrator"])
def test_a_weak_password_is_refused(settings: Any, weak: str) -> None:
    settings.ADMIN_PASSWORD = weak
    with pytest.raises(CommandError, match=r"^ADMIN_PASSWORD: "):
        call_command("create_admin", name="administrator")
    assert not User.objects.exists()


def test_a_user_who_has_the_name_already_keeps_their_rights() -> None:
    User.objects.create_user("admin")
    with pytest.raises(CommandError, match="There is a user admin who is no superuser"):
        call_command("create_admin")
