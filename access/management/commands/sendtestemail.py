"""``manage.py sendtestemail``: Django's, with words for what goes wrong."""

from typing import Any

from django.conf import settings
from django.core.mail import InvalidMailer
from django.core.management.base import CommandError
from django.core.management.commands import sendtestemail

EXIT_REFUSED = 1
EXIT_UNSET = 2


class Command(sendtestemail.Command):
    """Send a mail to whoever is named."""

    def handle(self, *args: Any, **options: Any) -> None:
        """See that there is a server and somebody to write to, send, and say what the server said."""
        groups = {"managers": settings.MANAGERS, "admins": settings.ADMINS}
        nobody = [name for name, people in groups.items() if options[name] and not people]
        if nobody:
            raise CommandError(f"The setting {nobody[0].upper()} names nobody.", returncode=EXIT_UNSET)
        if not options["email"] and not any(options[name] for name in groups):
            raise CommandError(self.missing_args_message, returncode=EXIT_UNSET)
        mailer = settings.MAILERS.get(options["using"] or "default")
        if mailer and not mailer.get("OPTIONS") and "BACKEND" not in mailer:
            raise CommandError(
                "No mail server is set. Data Forge sends no mail by itself; to try one, name it in EMAIL_URL, such as "
                "EMAIL_URL=smtp+tls://USER:PASSWORD@HOST:587.",
                returncode=EXIT_UNSET,
            )
        try:
            super().handle(*args, **options)
        except InvalidMailer as error:
            raise CommandError(str(error), returncode=EXIT_UNSET) from error
        except OSError as error:  # SMTP's faults are such, too
            raise CommandError(
                f"The mail was not sent: {error}. See EMAIL_URL and EMAIL_FROM.", returncode=EXIT_REFUSED
            ) from error
