"""Addresses of the HTTP API are exact: what only looks like one is none."""

from collections.abc import Callable

from django.http import HttpResponse
from django.views.decorators.common import no_append_slash
from rest_framework.views import APIView


def exactly(view: type[APIView]) -> Callable[..., HttpResponse]:
    """Answer an address without its slash with 404: a client would follow a redirect of its POST with a GET."""
    return no_append_slash(view.as_view())
