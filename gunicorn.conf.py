"""How gunicorn serves the site."""

worker_class = "dataforge.serving.Worker"
logger_class = "dataforge.serving.JsonLogger"
