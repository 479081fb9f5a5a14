"""The trial profile: a working site from nothing but a volume. Never beside a DATABASE_URL."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.embedded_postgres import join
from dataforge.container.processes import MANAGE

NOTICE = """\
Trial: DATABASE_URL is not set, so this runs a PostgreSQL of its own, without HTTPS. Not for production.
All data lies in {folder}. The site: http://localhost:{port}/"""


def prepare(database: dict[str, Any]) -> None:
    """Start the embedded PostgreSQL, keep it for as long as this process lives, make the tables and the first admin.

    ``database``: Django's settings of it. Raises EmbeddedPostgresFailed; exits where a command fails.
    """
    folder = Path(database["OPTIONS"]["folder"])
    print(NOTICE.format(folder=folder.parent, port=os.environ.get("PORT", "8000")), flush=True)
    join(folder, database=database["NAME"])
    for command in (("migrate", "--verbosity", "0"), ("create_admin",)):
        done = subprocess.run([sys.executable, MANAGE, *command], check=False)  # noqa: S603 - our own commands
        if done.returncode:
            sys.exit(done.returncode)
