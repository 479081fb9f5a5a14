"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataforge.settings")
application = get_wsgi_application()

# What is loaded by now stays: no garbage collection in the middle of a request needs to look at it.
gc.collect()
gc.freeze()
