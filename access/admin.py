"""Tokens in the admin: made there (and shown once), seen, revoked; never changed."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from access.models import Token
from access.tokens import DEFAULT_DAYS, fresh_token

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


@admin.register(Token)
class TokenAdmin(_ModelAdmin):
    """To revoke a token is to delete it."""

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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a token."""
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Make the token and show it, this once."""
        token = fresh_token(obj)
        super().save_model(request, obj, form, change)
        messages.warning(request, f"The token, shown only now: {token}")
