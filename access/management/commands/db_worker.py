"""``manage.py db_worker``: django-tasks-db's, which a signal ends only when the task at work is done."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from core.tasks.results import queue_is_stored

_THEIRS = "django_tasks_db.management.commands.db_worker.Command"
_OURS = "core.tasks.worker.QueueWorker"  # is there only where the queue's app is
_NO_QUEUE = (
    "No task waits for a worker: TASKS_BACKEND is not django_tasks_db.DatabaseBackend, so tasks run where they are"
    " asked for. Set it for the site and the worker, and run `manage.py migrate`."
)
_OPTIONS = ("interval", "batch", "backend_name", "startup_delay", "max_tasks", "worker_id")


class Command(BaseCommand):
    """Do the tasks of the queue, until told to stop."""

    help = (
        "Do the tasks of the queue until told to stop. SIGTERM or Ctrl-C: the task at work is finished first; once"
        " more: it is ended at once, and said to have failed."
    )

    def run_from_argv(self, argv: list[str]) -> None:
        """Say first where there is no queue: the arguments are the queue's."""
        _assert_queue()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take django-tasks-db's arguments."""
        if queue_is_stored():
            self._theirs().add_arguments(parser)
            parser.set_defaults(reload=False)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make a worker of the options, and run it."""
        _assert_queue()
        if options["reload"]:
            raise CommandError("--reload would end tasks in the middle: stop the worker, and start it again.")
        queues, excluded = options["queue_name"].split(","), options["exclude_queues"]
        if excluded and "*" not in queues:
            raise CommandError("--exclude-queues goes with --queue-name='*' only.")
        self._theirs().configure_logging(options["verbosity"])
        worker = import_string(_OURS)(
            queue_names=queues,
            excluded_queue_names=excluded.split(",") if excluded else [],
            **{name: options[name] for name in _OPTIONS},
        )
        worker.configure_signals()
        worker.run()

    def _theirs(self) -> Any:
        return import_string(_THEIRS)(stdout=self.stdout, stderr=self.stderr)


def _assert_queue() -> None:
    if not queue_is_stored():
        raise ImproperlyConfigured(_NO_QUEUE)
