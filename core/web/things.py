"""Addresses of one thing: a batch, a reject, a table, a backup."""

from abc import ABC, abstractmethod
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView


class ThingView(APIView, ABC):
    """The address of one thing, and what can be done to it below that address.

    Whoever may not view it is answered as if it were not there: by every method, also those that the address does not
    know, and before the body, the state of the thing or any other right is looked at.
    """

    thing: Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look for the thing as soon as it is known who asks."""
        super().initial(request, *args, **kwargs)
        (key,) = kwargs.values()
        self.thing = self.find(request, key)

    @abstractmethod
    def find(self, request: Request, key: Any, /) -> Any:
        """Return the thing that the address names by ``key``; Http404 or Problem 404 where one may not view it."""
