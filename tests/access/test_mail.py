"""`manage.py sendtestemail`: sent, or said in words why not."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command

from dataforge.mail import mail_server

NOWHERE = mail_server("smtp://127.0.0.1:1", name="EMAIL_URL")
LOCMEM = {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}


@pytest.fixture
def mailer(settings: Any) -> Any:
    """Set the mail server's options."""

    def take(options: Mapping[str, Any]) -> None:
        settings.MAILERS = {"default": {"OPTIONS": options}}

    return take


def test_without_a_server_it_says_where_to_name_one(mailer: Any) -> None:
    mailer(mail_server("", name="EMAIL_URL"))
    with pytest.raises(CommandError, match=r"^No mail server is set\..*EMAIL_URL=smtp") as refused:
        call_command("sendtestemail", "ana@example.com")
    assert refused.value.returncode == 2


def test_a_server_that_does_not_answer_is_said(mailer: Any) -> None:
    mailer(NOWHERE)
    with pytest.raises(CommandError, match=r"^The mail was not sent: .*refused.* See EMAIL_URL"):
        call_command("sendtestemail", "ana@example.com")


@pytest.mark.parametrize(("options", "said"), [([], "specify some email"), (["--admins"], "ADMINS names nobody")])
def test_a_mail_to_nobody_is_not_called_sent(mailer: Any, options: list[str], said: str) -> None:
    mailer(NOWHERE)
    with pytest.raises(CommandError, match=said):
        call_command("sendtestemail", *options)


def test_a_mailer_of_ones_own_needs_no_address(settings: Any, mailoutbox: list[EmailMessage]) -> None:
    settings.MAILERS = {"default": LOCMEM, "other": LOCMEM}
    call_command("sendtestemail", "ana@example.com", using="other")
    call_command("sendtestemail", "ana@example.com")
    assert [mail.to for mail in mailoutbox] == [["ana@example.com"]] * 2


def test_a_mailer_that_is_not_there_is_named(mailer: Any) -> None:
    mailer(NOWHERE)
    with pytest.raises(CommandError, match="'nosuch' is not configured"):
        call_command("sendtestemail", "ana@example.com", using="nosuch")


def test_the_url_gives_place_user_password_and_encryption() -> None:
    server = mail_server("smtp+tls://forge:p%40ss@mail.example.com:587", name="EMAIL_URL")
    assert server == {
        "host": "mail.example.com",
        "port": 587,
        "username": "forge",
        "password": "p@ss",
        "use_tls": True,
        "timeout": mock.ANY,
    }


@pytest.mark.parametrize("url", ["mail.example.com", "http://x", "smtp://", "smtp://u:secret@h:x", "smtp://h/box"])
def test_a_url_that_names_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"^EMAIL_URL names no mail server\. It must look like smtp"
    ) as error:
        mail_server(url, name="EMAIL_URL")
    assert "secret" not in str(error.value)
