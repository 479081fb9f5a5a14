"""The nine tables of the Olist dataset, with every rule about a record.

Names are the publisher's, misspellings included: CSV header, JSON key and column are one.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ingest.rules.fields import ChoiceField, FloatField, HexIdField, IntegerField, LineField, ProseField
from olist.fields import BrazilTimeField, MoneyField, StateField, ZipPrefixField

CITY_LENGTH = 100
CATEGORY_LENGTH = 100


class Category(models.Model):
    """A product category and its English name (NULL where a load had to add it for a product)."""

    product_category_name = LineField(primary_key=True, max_length=CATEGORY_LENGTH)
    product_category_name_english = LineField(max_length=CATEGORY_LENGTH, null=True, blank=True)

    class Meta:
        db_table = "olist_product_category_name_translation"
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.product_category_name


class Geolocation(models.Model):
    """A point that a zip prefix was seen at; points outside Brazil exist."""

    geolocation_zip_code_prefix = ZipPrefixField()
    geolocation_lat = FloatField(min_value=-90.0, max_value=90.0)
    geolocation_lng = FloatField(min_value=-180.0, max_value=180.0)
    geolocation_city = LineField(max_length=CITY_LENGTH)
    geolocation_state = StateField()

    class Meta:
        db_table = "olist_geolocation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="olist_geolocation_key",
                fields=[
                    "geolocation_zip_code_prefix",
                    "geolocation_lat",
                    "geolocation_lng",
                    "geolocation_city",
                    "geolocation_state",
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.geolocation_zip_code_prefix} {self.geolocation_lat} {self.geolocation_lng}"


class Customer(models.Model):
    """A customer as one order saw it; ``customer_unique_id`` joins the orders of one person."""

    customer_id = HexIdField(primary_key=True)
    customer_unique_id = HexIdField()
    customer_zip_code_prefix = ZipPrefixField()
    customer_city = LineField(max_length=CITY_LENGTH)
    customer_state = StateField()

    class Meta:
        db_table = "olist_customers"

    def __str__(self) -> str:
        return self.customer_id


class Seller(models.Model):
    """A seller on the marketplace."""

    seller_id = HexIdField(primary_key=True)
    seller_zip_code_prefix = ZipPrefixField()
    seller_city = LineField(max_length=CITY_LENGTH)
    seller_state = StateField()

    class Meta:
        db_table = "olist_sellers"

    def __str__(self) -> str:
        return self.seller_id


class Product(models.Model):
    """A product; 610 of the published ones have no category, texts and photos."""

    product_id = HexIdField(primary_key=True)
    product_category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="product_category_name",
        db_index=False,
    )
    product_name_lenght = IntegerField(null=True, blank=True, min_value=0)
    product_description_lenght = IntegerField(null=True, blank=True, min_value=0)
    product_photos_qty = IntegerField(null=True, blank=True, min_value=0)
    product_weight_g = IntegerField(null=True, blank=True, min_value=0)
    product_length_cm = IntegerField(null=True, blank=True, min_value=0)
    product_height_cm = IntegerField(null=True, blank=True, min_value=0)
    product_width_cm = IntegerField(null=True, blank=True, min_value=0)

    class Meta:
        db_table = "olist_products"
        indexes: ClassVar = [models.Index(fields=["product_category"], name="olist_products_category")]

    def __str__(self) -> str:
        return self.product_id


class Order(models.Model):
    """An order and its way to the customer."""

    class Status(models.TextChoices):
        """Where an order stands, the frequent first."""

        DELIVERED = "delivered"
        SHIPPED = "shipped"
        CANCELED = "canceled"
        UNAVAILABLE = "unavailable"
        INVOICED = "invoiced"
        PROCESSING = "processing"
        CREATED = "created"
        APPROVED = "approved"

    order_id = HexIdField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, db_index=False)
    order_status = ChoiceField(max_length=20, choices=Status.choices)
    order_purchase_timestamp = BrazilTimeField()
    order_approved_at = BrazilTimeField(null=True, blank=True)
    order_delivered_carrier_date = BrazilTimeField(null=True, blank=True)
    order_delivered_customer_date = BrazilTimeField(null=True, blank=True)
    order_estimated_delivery_date = BrazilTimeField()

    class Meta:
        db_table = "olist_orders"
        indexes: ClassVar = [models.Index(fields=["customer"], name="olist_orders_customer")]
        # Real parcels were handed to the carrier before the purchase time, so that is no rule.
        constraints: ClassVar = [
            models.CheckConstraint(
                name="olist_orders_approved_after_purchase",
                condition=Q(order_approved_at__gte=F("order_purchase_timestamp")),
                violation_error_message="An order cannot be approved before its purchase.",
            ),
            models.CheckConstraint(
                name="olist_orders_delivered_after_purchase",
                condition=Q(order_delivered_customer_date__gte=F("order_purchase_timestamp")),
                violation_error_message="An order cannot be delivered before its purchase.",
            ),
            models.CheckConstraint(
                name="olist_orders_estimated_after_purchase",
                condition=Q(order_estimated_delivery_date__gte=F("order_purchase_timestamp")),
                violation_error_message="The estimated delivery cannot be before the purchase.",
            ),
        ]

    def __str__(self) -> str:
        return self.order_id


class OrderItem(models.Model):
    """One item of an order, numbered from 1."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, db_index=False)
    order_item_id = IntegerField(min_value=1)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_index=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, db_index=False)
    shipping_limit_date = BrazilTimeField()
    price = MoneyField()
    freight_value = MoneyField()

    class Meta:
        db_table = "olist_order_items"
        indexes: ClassVar = [
            models.Index(fields=["product"], name="olist_order_items_product"),
            models.Index(fields=["seller"], name="olist_order_items_seller"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "order_item_id"], name="olist_order_items_key")
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.order_item_id}"


class OrderPayment(models.Model):
    """One payment of an order; an order may be paid in several ways."""

    class Type(models.TextChoices):
        """How it was paid, the frequent first."""

        CREDIT_CARD = "credit_card"
        BOLETO = "boleto"
        VOUCHER = "voucher"
        DEBIT_CARD = "debit_card"
        NOT_DEFINED = "not_defined"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, db_index=False)
    payment_sequential = IntegerField(min_value=1)
    payment_type = ChoiceField(max_length=20, choices=Type.choices)
    payment_installments = IntegerField(min_value=0)
    payment_value = MoneyField()

    class Meta:
        db_table = "olist_order_payments"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "payment_sequential"], name="olist_order_payments_key")
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.payment_sequential}"


class OrderReview(models.Model):
    """A customer's review; one review may speak of several orders."""

    review_id = HexIdField()
    order = models.ForeignKey(Order, on_delete=models.PROTECT, db_index=False)
    review_score = IntegerField(min_value=1, max_value=5)
    review_comment_title = ProseField(max_length=200, null=True, blank=True)
    review_comment_message = ProseField(max_length=5000, null=True, blank=True)
    review_creation_date = BrazilTimeField()
    review_answer_timestamp = BrazilTimeField()

    class Meta:
        db_table = "olist_order_reviews"
        indexes: ClassVar = [models.Index(fields=["order"], name="olist_order_reviews_order")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review_id", "order"], name="olist_order_reviews_key"),
            models.CheckConstraint(
                name="olist_order_reviews_answered_after_created",
                condition=Q(review_answer_timestamp__gte=F("review_creation_date")),
                violation_error_message="A review cannot be answered before it was created.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} {self.order_id}"
