"""``{{ count|rows }}``."""

from django import template

register = template.Library()


@register.filter
def rows(count: int | None) -> str:
    """Write a number of rows; nothing where nobody counted."""
    return "" if count is None else f"{count:,}"
