"""The table that knox's migrations made, though `access.Token` stands in for its model: no database keeps it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from access.models import Token
from access.tokens import create_token, find_token
from tests.support.loading.loads import query
from tests.support.postgres.migrating import migrate


def left_of_knox() -> list[tuple[Any, ...]]:
    """Return what the database knows of it: tables, migrations, content types, permissions."""
    return query(
        "select 'table' from pg_class where relname like 'knox%%' union all"
        " select 'migration' from django_migrations where app = 'knox' union all"
        " select 'content type' from django_content_type where app_label = 'knox' union all"
        " select 'permission' from auth_permission where codename like '%%authtoken'"
    )


@pytest.fixture
def migrated_before(committed: None, settings: Any) -> Iterator[None]:
    """The database as versions up to the first migration of access left it."""
    try:
        settings.MIGRATION_MODULES = {}
        migrate("access", "0001_initial")
        migrate("knox")
        assert len(left_of_knox()) > 9
        settings.MIGRATION_MODULES = {"knox": None}
        yield
    finally:
        migrate()


@pytest.mark.django_db
def test_a_fresh_database_has_nothing_of_it() -> None:
    assert left_of_knox() == []


@pytest.mark.usefixtures("migrated_before")
def test_a_database_that_was_migrated_before_loses_it_and_keeps_its_tokens() -> None:
    ana = User.objects.create_user("ana")
    token = create_token(ana, name="till", expires=None)
    stale = Permission.objects.filter(content_type__app_label="knox")
    kept = Permission.objects.get(codename="view_token")
    ana.user_permissions.set([*stale, kept])
    migrate()
    assert left_of_knox() == []
    assert list(ana.user_permissions.all()) == [kept]
    row = find_token(token)
    assert row is not None
    assert row.user == ana
    call_command("flush", interactive=False, verbosity=0)
    assert not Token.objects.exists()
    assert ContentType.objects.filter(app_label="access").count() == 3
