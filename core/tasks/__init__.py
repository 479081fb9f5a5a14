"""The queue of tasks in the database (django-tasks-db): its worker, and what its table says of work that has ended."""
