#!/usr/bin/env python
"""Django's command line for Data Forge."""

import os
import signal
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from core.errors import DataForgeError
from core.postgres.explain_errors import explained

READER_GONE = 128 + signal.SIGPIPE  # as shells say it of other programs: `manage.py list_backups | head -1`


def main() -> int:
    """Run one command and return its exit code; an error that its user can mend is one line, not a traceback."""
    try:
        try:
            return run()
        finally:
            print(end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what Python still holds for the reader goes there at its end
        return READER_GONE


def run() -> int:
    """Run the command and say what stopped it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataforge.settings")
    try:
        # Django puts off errors of the settings, and then shows them as tracebacks.
        _ = settings.INSTALLED_APPS
        with explained("the command"):
            execute_from_command_line(sys.argv)
    except (DataForgeError, ImproperlyConfigured) as error:
        if "--traceback" in sys.argv:
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, DataForgeError) else 2
    except EOFError:
        print("error: the command asks, and its input has ended: see its --help", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None or "--traceback" in sys.argv:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
