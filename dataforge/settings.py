"""Settings: everything that differs between places comes from the environment (or ``.env``), and is loud when wrong."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.version import __version__
from dataforge.container.secret_key import trial_secret_key
from dataforge.environment import HOW_TO_MAKE_A_KEY, Environment, secret_key_problem
from dataforge.logs import logging_settings
from dataforge.mail import mail_server

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR / ".env")
VAR_DIR = Path(env.text("DATA_DIR", default=str(BASE_DIR / "var"))).absolute()

# The image allows a trial, and it is one only while no database is named: all is strict as soon as one is.
TRIAL = env.flag("TRIAL", default=False) and not env.text("DATABASE_URL")
DEBUG = env.flag("DEBUG", default=False)
HTTPS = env.flag("HTTPS", default=not TRIAL)
SECRET_KEY = env.text("SECRET_KEY") or (trial_secret_key(VAR_DIR) if TRIAL else "")
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS", default=[])
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random text into the environment variable SECRET_KEY, or into a file that "
        "SECRET_KEY_FILE names. On a developer's machine `make setup` writes one into .env."
    )
if not DEBUG and (problem := secret_key_problem(SECRET_KEY)):
    raise ImproperlyConfigured(
        f"SECRET_KEY {problem}: whoever guesses it signs sessions of any user. {HOW_TO_MAKE_A_KEY}"
    )
ALLOWED_HOSTS = env.texts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    # These two first: `dumpdata` writes in this order, and `loaddata` needs their numbers before what refers to them.
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "ingest",  # before the admin, some of whose templates it replaces
    "django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "access",
    "django.contrib.staticfiles",  # after `access`, whose `runserver` goes before its own
    "olist",
    "backups",
]
MIDDLEWARE = [
    "dataforge.health.HealthMiddleware",  # before all that asks for HTTPS or a known host
    "core.web.request_ids.RequestIdMiddleware",
    "core.web.private_answers.PrivateAnswersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "core.web.body_lengths.BodyLengthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.web.null_characters.NullCharactersMiddleware",
    "core.web.problems.UnavailableMiddleware",  # last: the first to hear of what a view raised
]
ROOT_URLCONF = "dataforge.urls"
WSGI_APPLICATION = "dataforge.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "dataforge" / "templates"],
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
    "default": env.database(
        "DATABASE_URL",
        password=env.text("DATABASE_PASSWORD"),
        authorities=env.text("DATABASE_CA"),
        folder=VAR_DIR,
    )
    or {"ENGINE": "core.embedded_postgres", "NAME": "dataforge", "OPTIONS": {"folder": VAR_DIR / "postgres"}}
}
# A connection is kept, and asked whether it still lives; a new one for each request would cost more than its work.
DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Knox's migrations would make a table for the model that access.Token stands in for.
MIGRATION_MODULES: dict[str, str | None] = {"knox": None}
SERIALIZATION_MODULES = {"json": "dataforge.exact.json", "jsonl": "dataforge.exact.jsonl"}
TEST_RUNNER = "dataforge.pytest_runner.PytestRunner"
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")  # of the first superuser, for `manage.py create_admin` alone
AUTHENTICATION_BACKENDS = ["access.backends.OneQueryBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Published timestamps are Brazil's wall-clock time; our own (batches, rejects) are instants.
USE_TZ = True
TIME_ZONE = "America/Sao_Paulo"
LANGUAGE_CODE = "en-us"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"  # goes with the program, not with the data

# What may be loaded, parents first: the only place where the pipeline learns of a dataset.
DATAFORGE_SOURCES = "olist.sources.SOURCES"

# What may come out of a packed file of one table (.gz, .zst, in a .zip; all its parts together): more is a trap.
LOAD_MAX_UNPACKED_BYTES = env.number("LOAD_MAX_UNPACKED_BYTES", default=100 * 1024**3)

# What `backup_table --all` means: whole apps, or single models as "app.Model". Where to: a folder or s3://bucket/prefix,
# the store `default`, and others by their names; no form and no request says a place.
DATAFORGE_BACKUP_TABLES = ["olist", "ingest.Batch", "ingest.Account", "ingest.RejectedRecord"]
DATAFORGE_BACKUP_STORE = env.text("BACKUP_STORE", default=str(VAR_DIR / "backups"))
DATAFORGE_BACKUP_STORES = env.pairs("BACKUP_STORES")
# Backups and restores asked for over HTTP or in the admin run in the request, or in a worker of another backend.
TASKS = {
    "default": {"BACKEND": env.dotted("TASKS_BACKEND", default="django.tasks.backends.immediate.ImmediateBackend")}
}
INSTALLED_APPS += ["django_tasks_db"] if TASKS["default"]["BACKEND"].startswith("django_tasks_db.") else []

# The HTTP API: one way in, JSON out, all faults as problem documents.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.HashedTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["access.throttling.RequestThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.web.problems.problem_response",
    "NUM_PROXIES": env.number("API_PROXIES", default=0),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Data Forge",
    "DESCRIPTION": "Records in, checked by the rules of their tables; refused ones kept, with all reasons.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ingest.api.docs.operations.add_records",
        "backups.api.openapi.require_bodies",
    ],
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {
        "BackupStatusEnum": "backups.models.Status.choices",
        "RestoreModeEnum": "backups.api.serializers.RESTORE_MODES",
    },
}
KNOX_TOKEN_MODEL = "access.Token"  # noqa: S105 - a model's name
REST_KNOX = {"TOKEN_TTL": None}  # each token has its own end
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", default=600)
API_RECORDS_PER_MINUTE = env.number("API_RECORDS_PER_MINUTE", default=300_000)
API_BAD_TOKENS_PER_MINUTE = env.number("API_BAD_TOKENS_PER_MINUTE", default=20)
API_MAX_BYTES = env.number("API_MAX_BYTES", default=10 * 1024 * 1024)

# What Prometheus shows at /metrics, which is closed without it.
METRICS_TOKEN = env.text("METRICS_TOKEN")

# Nothing here sends mail by itself; `manage.py sendtestemail` tries the server.
MAILERS = {"default": {"OPTIONS": mail_server(env.text("EMAIL_URL").strip(), name="EMAIL_URL")}}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", default="webmaster@localhost")

# Closed rejects go after so many days; open ones never go by themselves.
REJECTS_KEPT_DAYS = env.number("REJECTS_KEPT_DAYS", default=365)

# Results of tasks that ended, well or not, in the queue of TASKS_BACKEND.
TASK_RESULTS_KEPT_DAYS = env.number("TASK_RESULTS_KEPT_DAYS", default=14)

LOGGING = logging_settings(development=DEBUG)

# Nothing but what this site itself serves, and nothing inline; Swagger UI's page alone is looser (dataforge.urls).
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
if not DEBUG:
    # Static files by the workers themselves, under names that change with their content; needs `collectstatic`.
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.middleware.csp.ContentSecurityPolicyMiddleware"),
        "whitenoise.middleware.WhiteNoiseMiddleware",
    )
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
if HTTPS and not DEBUG:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if REST_FRAMEWORK["NUM_PROXIES"]:  # one that we count on to say who asks also says how they asked
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
