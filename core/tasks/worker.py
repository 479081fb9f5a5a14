"""The worker of the queue, django-tasks-db's own, but for how it ends: a first signal lets the task at work finish.

Tasks run on a thread, so that a signal is heard at once: the main thread may be in PostgreSQL's hands for minutes, and
would hear of two signals as of one.
"""

import logging
import os
import signal
import threading
import time
from contextvars import copy_context
from types import FrameType
from typing import Any

from django.db import Error, connection, connections
from django_tasks_db.management.commands.db_worker import Worker

from core.errors import DataForgeError, WorkerDied
from core.postgres.explain_errors import explained
from core.tasks.results import at_work, close_dead, fail

log = logging.getLogger("django_tasks_db")

AGAIN_SECONDS = 5  # where the database is away
EXIT_CUT = 1
_LISTEN_SECONDS = 1.0


class QueueWorker(Worker):
    """Does one task after the other until it is told to stop, outlives a lost database, and leaves no task running."""

    _task: Any = None  # the row of the task at work

    def run(self) -> None:
        """Work until told to stop, or, of a batch, until nothing waits."""
        while self.running:
            try:
                with explained("the queue of tasks"):
                    if count := close_dead():
                        log.warning("%s tasks whose worker ended before they did are marked as failed", count)
                    super().run()
                return
            except DataForgeError as error:
                if self.batch:
                    raise
                log.error("%s Tried again in %s s.", error, AGAIN_SECONDS)
            connection.close()
            time.sleep(AGAIN_SECONDS)

    def run_task(self, db_task_result: Any) -> None:
        """Run one task on a thread of its own, with connections of its own."""
        self._task, done = db_task_result, threading.Event()

        def work() -> None:
            try:
                self._run_held(db_task_result)
            finally:
                connections.close_all()
                done.set()

        threading.Thread(target=copy_context().run, args=[work], name="task", daemon=True).start()
        while not done.wait(_LISTEN_SECONDS):
            pass
        self._task = None

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once where nothing is at work, else when that has ended; a second signal waits for nothing."""
        name = signal.strsignal(signum)
        if self._task is None:
            raise SystemExit(0)
        if not self.running:
            self._cut(self._task, name)
        self.running = False
        log.warning("%s: the task at work is finished first. Once more ends it at once.", name)

    def _cut(self, task: Any, name: str | None) -> None:
        """End the process as if it were killed, and say of the task that it failed; its work is taken back."""
        self.reset_signals()  # a third one does not wait for the database
        log.warning("%s again: the task at work is ended, and what it did is not kept.", name)
        try:
            fail([task.pk], WorkerDied())
        except Error:
            log.warning("task %s could not be marked as failed: the next worker does that", task.pk)
        logging.shutdown()
        os._exit(EXIT_CUT)

    def _run_held(self, task: Any) -> None:
        try:
            with at_work(task.pk):
                super().run_task(task)
        except Exception as error:  # the queue's row could not be written, or its lock not be had
            log.exception("task %s failed, and its worker goes on", task.pk)
            self._keep(task, error)

    def _keep(self, task: Any, error: Exception) -> None:
        connection.close()  # the next look opens another
        try:
            fail([task.pk], error)
        except Error:
            log.warning("task %s could not be marked as failed: that is done when the database is back", task.pk)
