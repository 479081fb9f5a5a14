"""``python -m dataforge.container [--loops]``: the site, or what works beside it by the clock.

In a trial both at once, with everything that the operator of a real site does by hand done first.
"""

import argparse
import os
import signal
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.errors import DataForgeError
from dataforge.container.processes import LOOPS, WEB, interrupt, run_together
from dataforge.container.trial import prepare

EXIT_INTERRUPTED = 130


def main() -> int:
    """Run until told to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dataforge.container", description="Serve the site.")
    parser.add_argument("--loops", action="store_true", help="run what works by the clock, not the site")
    only_loops = parser.parse_args().loops
    # The first process of a container gets no signal that it does not ask for.
    signal.signal(signal.SIGTERM, interrupt)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataforge.settings")
    try:
        trial = settings.TRIAL  # a wrong setting is found here
        if only_loops:
            return run_together(LOOPS)
        if trial:
            prepare(settings.DATABASES["default"])
            return run_together((WEB, *LOOPS))
        os.execv(WEB[0], WEB)  # noqa: S606 - our own program; gunicorn itself is to get the signals
    except (DataForgeError, ImproperlyConfigured) as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, DataForgeError) else 2
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
