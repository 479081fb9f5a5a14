"""Those who use backups over HTTP and in the admin."""

from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType

from access.tokens import create_token
from tests.support.access import people
from tests.support.api.client import ApiClient
from tests.support.backups.models import MODELS

EVERYTHING = ("add_backup", "view_backup", "verify_backup", "restore_backup", "view_restore")
_CATALOGUE = ("view_backup", "view_restore", "view_backupschedule")


def person(
    *rights: str, superuser: bool = False, staff: bool = True, name: str = "ana", sees_tables: bool = True
) -> User:
    """Return a new user with rights to models of backups, who may view the tables that are backed up."""
    user = people.person(name, *(f"backups.{right}" for right in rights), superuser=superuser, staff=staff)
    if sees_tables:
        for model in MODELS:  # nobody migrated these
            meta = model._meta
            kind, _ = ContentType.objects.get_or_create(app_label=meta.app_label, model=meta.model_name)
            Permission.objects.get_or_create(content_type=kind, codename=f"view_{meta.model_name}")
        tables = Permission.objects.filter(content_type__app_label__in=("backups", "olist", "ingest"))
        user.user_permissions.add(*tables.filter(codename__startswith="view_").exclude(codename__in=_CATALOGUE))
    return user


def caller(user: User) -> ApiClient:
    """Make a token for a user."""
    return ApiClient(create_token(user, name="test", expires=None))
