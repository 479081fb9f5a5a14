"""Settings of the site that serves the DRF peers: on the project's models and database, with nothing else around.

Connections to the database are kept, and there are no sessions and no admin.
"""

from dataforge import settings as project

SECRET_KEY = project.SECRET_KEY
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {"default": {**project.DATABASES["default"], "CONN_MAX_AGE": None}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "ingest",
    "olist",
]
MIGRATION_MODULES = dict.fromkeys(["ingest", "olist"])  # made by the project, whose other apps their migrations lean on
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "benchmarks.peers.urls"
DEFAULT_AUTO_FIELD = project.DEFAULT_AUTO_FIELD
DATAFORGE_SOURCES = project.DATAFORGE_SOURCES
USE_TZ, TIME_ZONE = project.USE_TZ, project.TIME_ZONE
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
