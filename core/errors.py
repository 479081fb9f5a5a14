"""What stops a run. A refused record is never an exception: it is data (see ``ingest.processing.reasons``)."""

from typing import ClassVar


class DataForgeError(Exception):
    """Data Forge cannot go on."""

    exit_code: ClassVar[int] = 2

    def __init__(self, **facts: object) -> None:
        """Keep the facts as attributes and fill them into the class's docstring, which is the message."""
        self.facts = facts
        super().__init__((type(self).__doc__ or "").format(**facts))


class SourceUnreadable(DataForgeError):
    """{path}: {problem}. {remedy}"""


class SourceMissing(SourceUnreadable):
    """{path}: {problem}. {remedy}"""


class SourceEmpty(SourceUnreadable):
    """{path}: is empty. Put the file there again."""


class HeaderRefused(DataForgeError):
    """{path}: {problem}. {advice}The header must name exactly these columns, in any order: {expected}"""


class FilesRefused(DataForgeError):
    """{count} files cannot be read as they are, so nothing was loaded:
    {problems}"""


class TableBusy(DataForgeError):
    """{tables}: held by {holder}. {remedy}"""

    exit_code = 3


class DatabaseUnavailable(DataForgeError):
    """The database cannot be used: {problem}. {remedy}"""

    exit_code = 3


class DatabaseFailed(DataForgeError):
    """The database failed during {work}: {problem}. {remedy}"""

    exit_code = 3


class WorkerDied(DataForgeError):
    """The worker was ended before the task was done. What was not finished was not kept: ask for it again."""

    exit_code = 3


class EmbeddedPostgresFailed(DataForgeError):
    """The embedded PostgreSQL in {folder} cannot be used: {problem}. {remedy}"""

    exit_code = 3


class BackupRefused(DataForgeError):
    """{what}: {problem}. {remedy}"""

    exit_code = 1


class BackupDamaged(DataForgeError):
    """{path} is not the backup that was written: {problem}. Use another one: `manage.py list_backups` names them."""

    exit_code = 1
