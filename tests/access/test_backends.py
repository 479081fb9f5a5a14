"""A user's rights are their own and those of their groups."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from pytest_django import DjangoAssertNumQueries


@pytest.mark.django_db
def test_rights_are_ones_own_and_those_of_ones_groups_by_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    own, of_group, other = Permission.objects.filter(content_type__app_label="olist")[:3]
    user = User.objects.create_user("ana")
    user.user_permissions.add(own)
    group = Group.objects.create(name="back office")
    group.permissions.add(own, of_group)
    user.groups.add(group)
    fresh = User.objects.get(pk=user.pk)
    with django_assert_num_queries(1):
        held = [fresh.has_perm(f"olist.{permission.codename}") for permission in (own, of_group, other)]
    assert held == [True, True, False]
