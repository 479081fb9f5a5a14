"""Tokens in the admin: made there (and shown once), seen, revoked; never changed. Users and groups: ``user_admin``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from access import user_admin  # noqa: F401 - importing is registering, Django's way
from access.models import Token
from access.tokens import DEFAULT_DAYS, fresh_token
from core.web.read_only_admin import DeclaredFilters, ViewableObjects

if TYPE_CHECKING:  # Django's classes are generic for the type checker only
    _ModelAdmin = admin.ModelAdmin[Token]
    _ModelForm = forms.ModelForm[Token]
else:
    _ModelAdmin, _ModelForm = admin.ModelAdmin, forms.ModelForm


class TokenForm(_ModelForm):
    """Whose token it is, what it is for, and until when it holds."""

    class Meta:
        model = Token
        fields = ("user", "name", "expiry")

    def _get_validation_exclusions(self) -> set[str]:
        """Check the name against the owner's other tokens where the owner is not asked for, too."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs leave it out
        return excluded - {"user"}


@admin.register(Token)
class TokenAdmin(DeclaredFilters, ViewableObjects, _ModelAdmin):
    """To revoke a token is to delete it. A superuser makes and sees everybody's, others their own."""

    form = TokenForm
    list_display = ("name", "user", "created", "expiry", "holds")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user",)
    ordering = ("-created",)

    @admin.display(boolean=True, description="valid")
    def holds(self, token: Token) -> bool:
        """Say whether it still opens the door."""
        return token.user.is_active and (token.expiry is None or token.expiry > timezone.now())

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose an end."""
        return {"expiry": timezone.now() + timedelta(days=DEFAULT_DAYS)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        """Show a superuser all tokens, others their own."""
        tokens = super().get_queryset(request)
        return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        """Ask only a superuser whose token it is to be."""
        fields = super().get_fields(request, obj)
        return [name for name in fields if name != "user" or request.user.is_superuser]

    def get_form(self, request: HttpRequest, obj: Token | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's
        """Make a form for a token of the user's own; a superuser chooses the owner in it."""
        form = super().get_form(request, obj, change, **kwargs)
        if request.user.is_superuser:
            return form

        class OwnTokenForm(form):  # type: ignore[misc, valid-type]  # made by Django for this request
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self.instance.user = request.user

        return OwnTokenForm

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a token."""
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Make the token and show it, this once."""
        token = fresh_token(obj)
        super().save_model(request, obj, form, change)
        messages.warning(request, f"The token, shown only now: {token}")
