"""How gunicorn serves the site. Whatever GUNICORN_CMD_ARGS or the command line say wins.

The address is gunicorn's own default: 0.0.0.0:$PORT where PORT is set, else 127.0.0.1:8000.
"""

import os
from pathlib import Path

worker_class = "dataforge.serving.Worker"
logger_class = "dataforge.serving.JsonLogger"

# Each thread keeps a connection: workers * threads must fit into PostgreSQL's max_connections, with the loops' few.
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, min(4, os.process_cpu_count() or 1)))
threads = 4

# A worker that is told to stop finishes what it has begun. Whoever stops the container must wait longer than this
# (docker stop --timeout, stop_grace_period, stopTimeout), or kills what is at work.
graceful_timeout = 50
# A thread may take its time over a backup; this is for a worker that hangs altogether.
timeout = 60
# Longer than load balancers keep a quiet connection (60 s), so that no request meets a connection that just closed.
keepalive = 75

# A heartbeat on a disk that stalls would look like a hanging worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file
control_socket_disable = True
