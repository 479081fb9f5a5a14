"""``python -m dataforge.container.healthcheck``: exit 0 where the site of this container answers, else 1."""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 4


def main() -> int:
    """Ask for ``/healthz``."""
    address = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS):
            return 0
    except (OSError, urllib.error.URLError) as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
