"""``{% load backups_health %}{% backups_health %}``: how backups stand, for those who may see the catalogue."""

from typing import Any

from django import template

from backups.catalogue.rights import VIEW
from backups.schedules.health import health_for

register = template.Library()


@register.inclusion_tag("backups/health.html", takes_context=True)
def backups_health(context: dict[str, Any]) -> dict[str, Any]:
    """Return what the box shows; nothing without the right to view backups."""
    user = context["request"].user
    return {"health": health_for(user) if user.has_perm(VIEW) else None}
