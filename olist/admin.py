"""The nine tables in the admin: read-only, since rows change through batches only."""

from typing import ClassVar

from django.contrib import admin

from ingest.table_admin.big_tables import BigTableAdmin
from olist import models

admin.site.register(
    [
        models.Category,
        models.Geolocation,
        models.Customer,
        models.Seller,
        models.Product,
        models.OrderItem,
        models.OrderPayment,
    ],
    BigTableAdmin,
)


@admin.register(models.Order)
class OrderAdmin(BigTableAdmin):
    """Orders; the list has no room for all five moments."""

    left_out_of_list: ClassVar = ("order_approved_at", "order_delivered_carrier_date")


@admin.register(models.OrderReview)
class OrderReviewAdmin(BigTableAdmin):
    """Reviews, without their long texts in the list."""

    left_out_of_list: ClassVar = ("review_comment_message",)
