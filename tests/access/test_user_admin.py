"""Nobody hands out what they do not have: users, groups and tokens in the admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from access.models import Token
from tests.support.access.people import browser
from tests.support.desk.people import staff

pytestmark = pytest.mark.django_db
MANAGER = ("auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user")
GROUP_MANAGER = ("auth.view_group", "auth.add_group", "auth.change_group", "auth.delete_group")
SELLERS = "olist.view_seller"


@pytest.fixture
def manager() -> User:
    return staff("maria", *MANAGER, *GROUP_MANAGER, SELLERS)


@pytest.fixture
def root() -> User:
    return staff("root", superuser=True)


def right(name: str) -> Permission:
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def user_page(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


def as_shown(client: Client, path: str) -> dict[str, Any]:
    """The form of a page as a browser would send it back: what it shows, and nothing else."""
    page = client.get(path)
    form = page.context["adminform"].form
    shown = re.findall(r'name="([a-z_0-9]+)"', page.content.decode())
    values = {name: form[name].value() for name in form.fields if name in shown or f"{name}_0" in shown}
    data: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            data[name] = [getattr(item, "pk", item) for item in value]
        elif f"{name}_0" in shown:
            data[f"{name}_0"], data[f"{name}_1"] = ("", "") if value is None else (value.date(), value.time())
        elif value is not None and value is not False:
            data[name] = value
    return data


def change(client: Client, path: str, **entered: Any) -> int:
    """Change what a page shows, and send it; the answer's status."""
    return client.post(path, {**as_shown(client, path), **entered}).status_code


def offered(client: Client, path: str, field: str) -> set[int]:
    """The numbers of what a page offers to choose from."""
    choices = client.get(path).context["adminform"].form.fields[field].queryset
    return {choice.pk for choice in choices}


def test_a_manager_gives_a_user_a_right_that_they_have(manager: User) -> None:
    udo = staff("udo")
    assert change(browser(manager), user_page(udo), user_permissions=[right(SELLERS).pk]) == 302
    assert udo.user_permissions.get() == right(SELLERS)


def test_a_manager_is_offered_no_right_that_they_lack(manager: User) -> None:
    own = {permission.pk for permission in manager.user_permissions.all()}
    assert offered(browser(manager), user_page(staff("udo")), "user_permissions") == own


@pytest.fixture
def secretive() -> Group:
    return Group.objects.create(name="secretive")


def listed(to: User, look: str = "") -> tuple[int, str]:
    """Return the list of users as one of them sees it: status and page."""
    page = browser(to).get(f"/admin/auth/user/{look}", secure=True)
    return page.status_code, page.content.decode()


def test_the_list_of_users_names_no_groups_to_who_may_not_view_them(secretive: Group) -> None:
    status, page = listed(staff("meg", *MANAGER))
    assert (status, secretive.name in page) == (200, False)


@pytest.mark.parametrize("look", ["groups__id__exact", "groups__name", "user_permissions__id__exact"])
def test_the_list_of_users_is_not_narrowed_by_what_one_may_not_view(secretive: Group, look: str) -> None:
    status, _ = listed(staff("meg", *MANAGER), f"?{look}={secretive.pk}")
    assert status in (302, 400)


@pytest.mark.parametrize("model", [User, Group])
def test_users_and_groups_are_not_told_apart_by_what_refers_to_them(model: type[User | Group]) -> None:
    name = model._meta.model_name
    client = browser(staff("meg", f"auth.view_{name}"))
    referring = [field.name for field in model._meta.get_fields() if field.auto_created and not field.concrete]
    assert "auth_token_set" in referring or model is Group
    looks = [
        *referring,
        "auth_token_set__digest__startswith",
        "permissions",
        "user_permissions",
        "password__startswith",
    ]
    for look in looks:
        assert client.get(f"/admin/auth/{name}/?{look}=1", secure=True).status_code in (302, 400), look


def test_who_may_view_groups_narrows_users_by_them(manager: User, secretive: Group) -> None:
    status, page = listed(manager, f"?groups__id__exact={secretive.pk}")
    assert (status, secretive.name in page) == (200, True)


def test_a_right_that_the_manager_lacks_is_refused_even_when_sent(manager: User) -> None:
    udo = staff("udo")
    assert change(browser(manager), user_page(udo), user_permissions=[right("olist.change_seller").pk]) == 200
    assert not udo.user_permissions.exists()


def test_a_manager_cannot_put_anybody_into_a_group_with_more_rights(manager: User) -> None:
    strong, weak = Group.objects.create(name="strong"), Group.objects.create(name="weak")
    strong.permissions.add(right("olist.change_seller"))
    weak.permissions.add(right(SELLERS))
    client = browser(manager)
    assert offered(client, user_page(manager), "groups") == {weak.pk}
    assert change(client, user_page(manager), groups=[strong.pk]) == 200
    assert not manager.groups.exists()


def test_a_manager_cannot_make_anybody_a_superuser(manager: User) -> None:
    for user in (manager, staff("udo")):
        change(browser(manager), user_page(user), is_superuser="on")
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.parametrize("page", ["change/", "password/", "delete/"])
def test_a_superuser_is_out_of_a_manager_s_reach(manager: User, root: User, page: str) -> None:
    sent = {
        "post": "yes",
        "username": "x",
        "password1": "Kwx-81-lpo",
        "password2": "Kwx-81-lpo",
        "usable_password": "true",
    }
    assert browser(manager).post(f"/admin/auth/user/{root.pk}/{page}", sent).status_code == 403
    assert (User.objects.get(pk=root.pk).username, User.objects.get(pk=root.pk).password) == ("root", root.password)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("by_group", [True, False])
def test_the_password_of_somebody_with_more_rights_is_out_of_reach(
    manager: User, *, by_group: bool, active: bool
) -> None:
    strong = staff("strong")
    if by_group:
        group = Group.objects.create(name="strong")
        group.permissions.add(right("olist.change_seller"))
        strong.groups.add(group)
    else:
        strong.user_permissions.add(right("olist.change_seller"))
    User.objects.filter(pk=strong.pk).update(is_active=active)
    path = f"/admin/auth/user/{strong.pk}/password/"
    sent = {"password1": "Kwx-81-lpo", "password2": "Kwx-81-lpo", "usable_password": "true"}
    assert browser(manager).post(path, sent).status_code == 403


def test_a_manager_sets_the_password_of_somebody_with_fewer_rights(manager: User) -> None:
    udo = staff("udo", SELLERS)
    sent = {"password1": "Kwx-81-lpo", "password2": "Kwx-81-lpo", "usable_password": "true"}
    assert browser(manager).post(f"/admin/auth/user/{udo.pk}/password/", sent).status_code == 302


def test_deleting_many_users_at_once_stops_at_a_superuser(manager: User, root: User) -> None:
    sent = {"action": "delete_selected", "_selected_action": [root.pk, staff("udo").pk], "post": "yes"}
    browser(manager).post("/admin/auth/user/", sent)
    assert User.objects.filter(username__in=("root", "udo")).count() == 2


def test_a_group_gets_no_right_that_its_maker_lacks(manager: User) -> None:
    sent = {"name": "new", "permissions": [right("olist.change_seller").pk]}
    assert browser(manager).post("/admin/auth/group/add/", sent).status_code == 200
    assert not Group.objects.exists()


@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_a_group_with_more_rights_is_out_of_reach(manager: User, page: str) -> None:
    strong = Group.objects.create(name="strong")
    strong.permissions.add(right("olist.change_seller"))
    sent = {"name": "strong", "post": "yes", "permissions": []}
    assert browser(manager).post(f"/admin/auth/group/{strong.pk}/{page}", sent).status_code == 403


def test_a_superuser_changes_everybody(manager: User, root: User) -> None:
    change(browser(root), user_page(manager), is_superuser="on", user_permissions=[])
    assert User.objects.get(pk=manager.pk).is_superuser


def test_an_owner_makes_a_token_of_their_own_and_no_other_s(root: User) -> None:
    udo = staff("udo", "access.add_token", "access.view_token")
    client = browser(udo)
    assert 'name="user"' not in client.get("/admin/access/token/add/").content.decode()
    client.post("/admin/access/token/add/", {"name": "till", "user": root.pk})
    assert Token.objects.get().user == udo


def test_an_owner_s_second_token_of_a_name_is_refused_beside_the_field() -> None:
    udo = staff("udo", "access.add_token", "access.view_token")
    client = browser(udo)
    client.post("/admin/access/token/add/", {"name": "till"})
    answer = client.post("/admin/access/token/add/", {"name": "till"})
    assert (answer.status_code, Token.objects.count()) == (200, 1)
    assert "already exists" in answer.content.decode()


@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_another_s_token_is_not_to_be_found(root: User, page: str) -> None:
    udo = staff("udo", "access.add_token", "access.view_token", "access.delete_token")
    token = Token(user=root, name="root's", digest="d", token_key="k")
    token.save(force_insert=True)
    client = browser(udo)
    assert "root&#x27;s" not in client.get("/admin/access/token/").content.decode()
    assert client.post(f"/admin/access/token/{token.pk}/{page}", {"post": "yes"}).status_code in (302, 403, 404)
    assert Token.objects.filter(pk=token.pk).exists()


def test_a_superuser_makes_tokens_for_others(root: User) -> None:
    udo = staff("udo")
    browser(root).post("/admin/access/token/add/", {"name": "till", "user": udo.pk})
    assert Token.objects.get().user == udo
