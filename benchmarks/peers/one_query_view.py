"""An authenticated DRF view that does one query: what a request costs before a batch does any work."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from olist.models import Order


class OneQuery(APIView):
    """Take the body of a batch and tell whether its first order is stored (the token costs a query of its own)."""

    def post(self, request: Request) -> Response:
        """Answer one request."""
        body: Any = request.data
        order_id = body["records"][0]["order_id"]
        return Response({"stored": Order.objects.filter(pk=order_id).exists()})
