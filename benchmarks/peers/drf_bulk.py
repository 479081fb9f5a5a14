"""DRF's ``ModelSerializer(many=True)`` with ``bulk_create`` in a plain view: all or nothing, rejects are not kept.

Written well: references and existing keys by one query each, the rules that DRF does not take from the model's
constraints added by hand, one transaction. ``GeneratedOrders`` is the same with the serializer as DRF generates it,
which asks the database for each record's key and customer one by one and knows no rule between two columns.
"""

from typing import Any

from django.db import models, transaction
from rest_framework import serializers, status
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from olist.models import Customer, Order


class HexIdField(serializers.CharField):
    """32 hexadecimal digits in lower case."""

    default_error_messages = {"invalid": "Enter 32 hexadecimal digits (0-9, a-f)."}

    def to_internal_value(self, data: Any) -> str:
        """Trim and lower, then check."""
        value = super().to_internal_value(data).lower()
        if len(value) != 32 or value.strip("0123456789abcdef"):
            self.fail("invalid")
        return value


class OrderListSerializer(serializers.ListSerializer[Any]):
    """Checks of the whole list, and its storing."""

    def validate(self, attrs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Look up customers and keys, a query each."""
        wanted = {row["customer_id"] for row in attrs}
        customers = set(Customer.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        keys = [row["order_id"] for row in attrs]
        stored = set(Order.objects.filter(pk__in=keys).values_list("pk", flat=True))
        errors = [
            {"customer_id": ["There is no such customer."]} if row["customer_id"] not in customers
            else {"order_id": ["An order with this id exists."]} if row["order_id"] in stored
            else {}
            for row in attrs
        ]  # fmt: skip
        if any(errors) or len(set(keys)) != len(keys):
            raise serializers.ValidationError(errors)
        return attrs

    def create(self, validated_data: list[dict[str, Any]]) -> list[Order]:
        """Store all with as few statements as Django needs."""
        return Order.objects.bulk_create([Order(**row) for row in validated_data])


class OrderSerializer(serializers.ModelSerializer[Order]):
    """One order."""

    order_id = HexIdField()
    customer_id = HexIdField()

    class Meta:
        model = Order
        list_serializer_class = OrderListSerializer
        fields = (
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that nothing comes before the purchase."""
        bought = attrs["order_purchase_timestamp"]
        for name in ("order_approved_at", "order_delivered_customer_date", "order_estimated_delivery_date"):
            if attrs.get(name) and attrs[name] < bought:
                raise serializers.ValidationError({name: "This cannot be before the purchase."})
        return attrs


class GeneratedListSerializer(serializers.ListSerializer[Any]):
    """Bulk storing only."""

    def create(self, validated_data: list[dict[str, Any]]) -> list[Order]:
        """Store all with as few statements as Django needs."""
        return Order.objects.bulk_create([Order(**row) for row in validated_data])


class GeneratedSerializer(serializers.ModelSerializer[Order]):
    """An order as DRF makes it of the model."""

    customer_id = serializers.PrimaryKeyRelatedField(source="customer", queryset=Customer.objects.all())

    class Meta:
        model = Order
        list_serializer_class = GeneratedListSerializer
        fields = OrderSerializer.Meta.fields


class BulkRecords(APIView):
    """Store a list of records of one table, by default orders (``as_view`` takes another serializer and queryset)."""

    permission_classes = (DjangoModelPermissions,)
    queryset: models.QuerySet[Any] = Order.objects.none()  # whose permissions
    serializer_class: type[serializers.ModelSerializer[Any]] = OrderSerializer

    def post(self, request: Request) -> Response:
        """Answer one request."""
        body: Any = request.data
        serializer = self.serializer_class(data=body["records"], many=True)
        with transaction.atomic():
            serializer.is_valid(raise_exception=True)
            stored: Any = serializer.save()
        return Response({"inserted": len(stored)}, status.HTTP_201_CREATED)


class GeneratedOrders(BulkRecords):
    """Store a list of orders by the serializer as generated."""

    serializer_class = GeneratedSerializer
