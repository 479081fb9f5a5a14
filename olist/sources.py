"""The nine files, parents first."""

from ingest.rules.sources import Source
from olist import models

SOURCES = (
    Source("product_category_name_translation", "product_category_name_translation.csv", models.Category),
    Source("geolocation", "olist_geolocation_dataset.csv", models.Geolocation),
    Source("customers", "olist_customers_dataset.csv", models.Customer),
    Source("sellers", "olist_sellers_dataset.csv", models.Seller),
    Source("products", "olist_products_dataset.csv", models.Product, adds_parents=("product_category_name",)),
    Source("orders", "olist_orders_dataset.csv", models.Order),
    Source("order_items", "olist_order_items_dataset.csv", models.OrderItem),
    Source("order_payments", "olist_order_payments_dataset.csv", models.OrderPayment),
    Source("order_reviews", "olist_order_reviews_dataset.csv", models.OrderReview),
)
