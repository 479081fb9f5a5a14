"""Reads settings from the environment, from files that it names (``NAME_FILE``) and from ``.env``; loud when wrong.

django-environ parses; what it lets pass is refused here: it takes ``DEBUG=maybe`` for off, any database for
ours, keeps the newline at the end of a secret's file, and passes over an unreadable ``.env`` or a line that is no
assignment without a word.
"""

import io
import json
import os
import re
import tempfile
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ  # type: ignore[import-untyped]  # ships neither types nor stubs
import psycopg2.extensions
from django.core.exceptions import ImproperlyConfigured

FLAGS = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
DATABASE_SCHEMES = ("postgres", "postgresql")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DATABASE_ENGINE = "core.postgres.engine"
# These are Django's; every other word of a database URL's query goes to libpq.
DJANGO_OPTIONS = ("CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "ATOMIC_REQUESTS", "AUTOCOMMIT", "DISABLE_SERVER_SIDE_CURSORS")
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=(.*)")
# A value in quotes, and what may stand behind it; a value without, in which a `#` after a blank begins no comment here.
QUOTED = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?:\s#.*)?""")
PLAIN = re.compile(r"""\s*(?!["'])(?!.*\s#).*""")
CHECKING_SSL_MODES = ("verify-ca", "verify-full")
SECRET_KEY_CHARACTERS, SECRET_KEY_DIFFERENT = 50, 5
HOW_TO_MAKE_A_KEY = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(60))'."
URL_FORM = "postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full&sslrootcert=FILE"


class Environment:
    """The environment, with ``.env`` below it. Each method raises ImproperlyConfigured, naming the variable."""

    def __init__(self, dotenv: Path) -> None:
        """Take in ``dotenv`` where it exists; variables that are set already win over it."""
        if dotenv.exists():
            text = _checked_dotenv(dotenv)
            before = set(os.environ)
            environ.Env.read_env(io.StringIO(text))
            # A secret that the environment gives by value must not meet its file's name of .env, nor the other way.
            for name in before:
                twin = name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE"
                if twin not in before:
                    os.environ.pop(twin, None)
        self._values = environ.FileAwareEnv.ENVIRON

    def text(self, name: str, *, default: str = "") -> str:
        """Return the variable, or what the file that ``NAME_FILE`` names holds without its last newline."""
        file = os.environ.get(f"{name}_FILE")
        if file and os.environ.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: set only one of them.")
        try:
            value = str(self._values.get(name, ""))
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE={file} cannot be read: {error}") from error
        return value.rstrip("\r\n") or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a switch."""
        value = self.text(name).strip().lower()
        if value and value not in FLAGS:
            raise ImproperlyConfigured(f"{name}={value} is neither on nor off; accepted: {', '.join(FLAGS)}.")
        return FLAGS.get(value, default)

    def number(self, name: str, *, default: int) -> int:
        """Return a whole number from 0."""
        value = self.text(name).strip()
        if value and not (value.isascii() and value.isdigit()):
            raise ImproperlyConfigured(f"{name}={value} is not a number; accepted: whole numbers from 0.")
        return int(value) if value else default

    def texts(self, name: str, *, default: list[str]) -> list[str]:
        """Return the parts between commas."""
        return _parts(self.text(name)) or default

    def pairs(self, name: str) -> dict[str, str]:
        """Return texts by their names: NAME=TEXT between commas, or an object of JSON, for a text with a comma."""
        value = self.text(name).strip()
        try:
            pairs = _json_pairs(value) if value.startswith("{") else [_pair(part) for part in _parts(value)]
        except ValueError as error:
            example = '{"NAME": "text", "OTHER": "text, with a comma"}'
            raise ImproperlyConfigured(
                f"{name} is not accepted: {error}. It must look like NAME=text,OTHER=text or {example}."
            ) from error
        for key, _ in pairs:
            if [other for other, _ in pairs].count(key) > 1:
                raise ImproperlyConfigured(f"{name} names {key} twice: keep one of them.")
        return dict(pairs)

    def dotted(self, name: str, *, default: str) -> str:
        """Return the dotted name of a class, in a module that is installed."""
        value = self.text(name, default=default).strip()
        module, _, leaf = value.rpartition(".")
        try:
            # A module of Django's own can be looked into; an app's models are not ready for that yet.
            known = hasattr(import_module(module), leaf) if module.startswith("django.") else bool(find_spec(module))
        except (ImportError, ValueError):
            known = False
        if not known or not leaf.isidentifier():
            raise ImproperlyConfigured(f"{name}={value} names no class that is installed; as in: {default}.")
        return value

    def database(self, name: str, *, password: str = "", authorities: str = "", folder: Path) -> dict[str, Any] | None:
        """Return Django's settings of the PostgreSQL that a URL names, or None where it is not set.

        ``password`` (of PREFIX_PASSWORD, where ``name`` is PREFIX_URL) is for a URL without one. ``authorities`` (of
        PREFIX_CA) are certificates in PEM, by which the server must prove its name; libpq reads them in the file that
        they came from, or else in one that is written into ``folder``.
        """
        url = self.text(name).strip()
        prefix = name.removesuffix("_URL")
        if not url:
            if password or authorities:
                other = f"{prefix}_PASSWORD" if password else f"{prefix}_CA"
                raise ImproperlyConfigured(f"{other} is set, and {name} is not: name the server, or unset {other}.")
            return None
        try:
            problem = _url_problem(url)
            settings: dict[str, Any] = {} if problem else environ.Env.db_url_config(url, engine=DATABASE_ENGINE)
            problem = problem or _options_problem(settings)
            parts = {} if problem else _as_libpq_reads(url)
        except (ValueError, psycopg2.ProgrammingError):
            # Its message quotes the URL, and so perhaps a part of the password.
            problem = "it cannot be parsed (percent-encode special characters in user and password)"
        if problem:
            raise ImproperlyConfigured(f"{name} is not accepted: {problem}. It must look like {URL_FORM}.")
        settings |= parts
        if password and settings["PASSWORD"]:
            raise ImproperlyConfigured(f"{prefix}_PASSWORD is set, and {name} holds a password: give only one.")
        settings["PASSWORD"] = password or settings["PASSWORD"]
        if authorities:
            options = settings.setdefault("OPTIONS", {})
            if problem := _authorities_problem(authorities, options, name):
                raise ImproperlyConfigured(f"{prefix}_CA is not accepted: {problem}.")
            file = os.environ.get(f"{prefix}_CA_FILE") or str(_written(authorities, folder))
            options.update(sslmode=options.get("sslmode", "verify-full"), sslrootcert=file)
        return settings


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pair(part: str) -> tuple[str, str]:
    name, _, text = (piece.strip() for piece in part.partition("="))
    if not name or not text:
        raise ValueError(f"{part!r} is no NAME=text")
    return name, text


def _json_pairs(value: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = json.loads(value, object_pairs_hook=list)
    for name, text in pairs:
        if not isinstance(text, str) or not text:
            raise ValueError(f"{name} is not a text")
    return pairs


def _authorities_problem(pem: str, options: dict[str, Any], url_name: str) -> str:
    if CERTIFICATE not in pem:
        return f"it holds no certificate; PEM begins with {CERTIFICATE}"
    if "sslrootcert" in options:
        return f"{url_name} has an sslrootcert; give only one of the two"
    mode = options.get("sslmode", "verify-full")
    if mode not in CHECKING_SSL_MODES:
        return f"{url_name} says sslmode={mode}, which checks no server; leave that out, or write sslmode=verify-full"
    return ""


def _written(pem: str, folder: Path) -> Path:
    """Write certificates into a file that is named by their content, so that processes may share it."""
    path = folder / f"authorities-{sha256(pem.encode()).hexdigest()[:16]}.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", delete=False) as file:
            file.write(pem + "\n")
        Path(file.name).replace(path)
    return path


def _checked_dotenv(dotenv: Path) -> str:
    """Return the text without comments behind quoted values; ImproperlyConfigured for a line of two meanings."""
    try:
        lines = dotenv.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{dotenv} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        assignment = ASSIGNMENT.fullmatch(line)
        if assignment is None:
            raise ImproperlyConfigured(f"{dotenv}, line {number}, is no assignment; accepted: NAME=value.")
        value = assignment[1]
        if quoted := QUOTED.fullmatch(value):
            lines[number - 1] = line.removesuffix(value) + quoted[1]
        elif not PLAIN.fullmatch(value):
            raise ImproperlyConfigured(
                f"{dotenv}, line {number}, can be read in two ways: put the whole value into quotes, with nothing but "
                "a comment behind them."
            )
    return "\n".join(lines)


def _url_problem(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in DATABASE_SCHEMES:
        subject = f"{parts.scheme}://" if parts.scheme and "://" in url else "it"
        return f"{subject} names no PostgreSQL"
    if parts.fragment or parts.port == 0:
        return "'#' in it must be written %23" if parts.fragment else "its port is 0"
    if not parts.path.strip("/"):
        return "it names no database"
    empty = [key for key, value in parse_qsl(parts.query, keep_blank_values=True) if not value]
    return f"{empty[0]} is empty" if empty else ""


def _as_libpq_reads(url: str) -> dict[str, Any]:
    """Return who, where and which database as `psql` would read them: a `+` is one, a `%` begins two hex digits."""
    parts = psycopg2.extensions.parse_dsn(url.partition("?")[0])
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    read: dict[str, Any] = {setting: parts.get(name, "") for setting, name in names.items()}
    return read | {"PORT": int(read["PORT"]) if read["PORT"] else ""}


def secret_key_problem(key: str) -> str:
    """Say why ``key`` is none for production; empty where it is one. Django's check only warns, and only if asked."""
    if len(key) < SECRET_KEY_CHARACTERS:
        return f"has {len(key)} characters, and needs {SECRET_KEY_CHARACTERS}"
    if len(set(key)) < SECRET_KEY_DIFFERENT:
        return f"has only {len(set(key))} different characters"
    return ""


def _options_problem(settings: dict[str, Any]) -> str:
    for option in DJANGO_OPTIONS:
        if not isinstance(settings.get(option, 0), int | None):
            return f"{option} is neither a number nor True, False or None"
    options = settings.get("OPTIONS", {})
    if options.get("sslmode", "prefer") not in SSL_MODES:
        return f"sslmode must be one of {', '.join(SSL_MODES)}"
    try:
        psycopg2.extensions.make_dsn(**options)
    except psycopg2.ProgrammingError as error:
        return str(error).strip()
    return ""
