"""What the commands of this room have in common: how an error ends them, and how figures look."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from core.errors import DataForgeError

EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130
_WIDTH = 500
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@contextmanager
def exits(interrupted: str) -> Iterator[None]:
    """End a command with the exit code of what stopped it, and one line."""
    try:
        yield
    except DataForgeError as error:
        raise CommandError(str(error), returncode=error.exit_code) from error
    except KeyboardInterrupt as error:
        raise CommandError(f"Interrupted: {interrupted}", returncode=EXIT_INTERRUPTED) from error


def size(count: int) -> str:
    """Return a number of bytes in a unit that people read."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 1024:
            return f"{amount:.1f} {unit}" if unit != "B" else f"{count} B"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"


def moment(value: datetime | None) -> str:
    """Return a moment in the project's time zone, to the second."""
    return "" if value is None else timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")


def print_table(out: OutputWrapper, headers: list[str], rows: list[list[str]], *, numbers: set[str]) -> None:
    """Print columns, those of ``numbers`` to the right; paths are never cut, however wide the terminal is."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=_WIDTH, highlight=False, emoji=False, markup=False).print(table)
    for line in text.getvalue().splitlines():
        out.write(line.rstrip())
