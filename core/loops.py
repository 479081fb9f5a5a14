"""Commands that do for ever what is due, until they are told to stop."""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from django.core.management.base import OutputWrapper
from django.db import connection

from core.errors import DataForgeError

POLL_SECONDS = 20
_ASKED = b"Asked to stop: what was begun is finished first. Once more ends it at once.\n"

type GoOn = Callable[[], bool]


class _Stop:
    """What SIGTERM does: it ends a loop that waits, lets one at work finish what it began; a second one is a Ctrl-C."""

    def __init__(self) -> None:
        self.at_work = self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.at_work:
            sys.exit(0)
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        os.write(2, _ASKED)  # whatever else is being written at this moment


def run_for_ever(work: Callable[[GoOn], None], stderr: OutputWrapper) -> NoReturn:
    """Do ``work`` again and again; say to ``stderr`` what kept it from being done.

    ``work`` asks what it is given before it begins something: False means that a stop was asked for. Ends by exit code
    0 when told to stop (SIGTERM), by KeyboardInterrupt when told twice, or by Ctrl-C: what is at work is taken back.
    """
    stop = _Stop()
    signal.signal(signal.SIGTERM, stop)
    while not stop.asked:
        stop.at_work = True
        try:
            work(lambda: not stop.asked)
        except DataForgeError as error:  # the server may come back
            stderr.write(str(error))
        connection.close()
        stop.at_work = False
        if not stop.asked:
            time.sleep(POLL_SECONDS)
    sys.exit(0)
