"""Settings: everything that differs between places comes from the environment (or ``.env``), and is loud when wrong."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from dataforge.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random text into the environment variable SECRET_KEY, or into a file that "
        "SECRET_KEY_FILE names. On a developer's machine `make setup` writes one into .env."
    )
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "ingest",
    "olist",
    "backups",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "dataforge.urls"
WSGI_APPLICATION = "dataforge.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# An embedded PostgreSQL under var/ where no server is named; it starts with the first connection.
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL")
    or {"ENGINE": "dataforge.embedded_postgres", "NAME": "dataforge", "OPTIONS": {"folder": VAR_DIR / "postgres"}}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Published timestamps are Brazil's wall-clock time; our own (batches, rejects) are instants.
USE_TZ = True
TIME_ZONE = "America/Sao_Paulo"
LANGUAGE_CODE = "en-us"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"

# What may be loaded, parents first: the only place where the pipeline learns of a dataset.
DATAFORGE_SOURCES = "olist.sources.SOURCES"

# What `backup_table --all` means: whole apps, or single models as "app.Model". Where to: a folder or s3://bucket/prefix.
DATAFORGE_BACKUP_TABLES = ["olist", "ingest"]
DATAFORGE_BACKUP_STORE = env.text("BACKUP_STORE", default=str(VAR_DIR / "backups"))

if not DEBUG:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
