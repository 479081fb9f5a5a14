"""Commands that do for ever what is due, until they are told to stop."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from django.core.management.base import OutputWrapper
from django.db import connection

from core.errors import DataForgeError

POLL_SECONDS = 20


def run_for_ever(work: Callable[[], None], stderr: OutputWrapper) -> NoReturn:
    """Do ``work`` again and again; say to ``stderr`` what kept it from being done. Ends by KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, _stop)
    while True:
        try:
            work()
        except DataForgeError as error:  # the server may come back
            stderr.write(str(error))
        connection.close()
        time.sleep(POLL_SECONDS)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Let SIGTERM end the loop as Ctrl-C does: what is at work is taken back."""
    raise KeyboardInterrupt
