"""The nine tables in the admin: to look at, not to touch, and fast on any number of rows."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client

from ingest.rules.sources import sources
from ingest.table_admin.big_tables import REACH_ROWS, ROWS_PER_PAGE, BigTableAdmin
from olist.models import Customer, Geolocation, Order, OrderItem, OrderReview, Product, Seller
from tests.support.desk.admin_pages import cost, page, signed_in
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db
MODELS = [source.model for source in sources()]
NAMES = [f"{model._meta.app_label}/{model._meta.model_name}" for model in MODELS]
MANY = 200_000
LAST_PAGE = REACH_ROWS // ROWS_PER_PAGE


@pytest.fixture
def superuser() -> Client:
    return signed_in(superuser=True)


@pytest.fixture
def customer() -> Customer:
    return Customer.objects.create(
        customer_id=hex_id(1),
        customer_unique_id=hex_id(2),
        customer_zip_code_prefix="01037",
        customer_city="<script>alert(1)</script>",
        customer_state="SP",
    )


@pytest.fixture
def order(customer: Customer) -> Order:
    return Order.objects.create(
        order_id=hex_id(0xABC),
        customer=customer,
        order_status="delivered",
        order_purchase_timestamp="2017-10-15 00:00:07",
        order_estimated_delivery_date="2017-11-01 00:00:00",
    )


@pytest.fixture
def item(order: Order) -> OrderItem:
    seller = Seller.objects.create(
        seller_id=hex_id(5), seller_zip_code_prefix="01037", seller_city="são paulo", seller_state="SP"
    )
    return OrderItem.objects.create(
        order=order,
        order_item_id=1,
        product=Product.objects.create(product_id=hex_id(4)),
        seller=seller,
        shipping_limit_date="2017-10-20 10:00:00",
        price="58.90",
        freight_value="0.00",
    )


def fill(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_table_shows_an_empty_list(superuser: Client, name: str) -> None:
    assert "0 " in page(superuser, f"{name}/")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_adds_changes_or_deletes(superuser: Client, order: Order, name: str) -> None:
    for path in (f"{name}/add/", f"{name}/"):
        assert superuser.post(f"/admin/{path}", {"action": "delete_selected"}, secure=True).status_code == 403
    for verb in ("change", "delete"):
        response = superuser.post(f"/admin/olist/order/{order.pk}/{verb}/", {"post": "yes"}, secure=True)
        assert response.status_code == 403
    assert Order.objects.filter(pk=order.pk).exists()


def test_who_may_view_sees_lists_and_details_but_no_other_table(order: Order) -> None:
    client = signed_in(may_view=("olist.order",))
    assert order.pk in page(client, "olist/order/")
    assert order.pk in page(client, f"olist/order/{order.pk}/change/")
    page(client, "olist/customer/", status=403)


def test_a_detail_shows_values_as_they_are_stored(superuser: Client, order: Order) -> None:
    html = page(superuser, f"olist/order/{order.pk}/change/")
    assert "2017-10-15 00:00:07" in html  # the midnight that DST skipped, to the second
    assert ">delivered<" in html


def test_a_detail_links_to_parents_and_to_the_rows_that_refer_to_it(superuser: Client, item: OrderItem) -> None:
    html = page(superuser, f"olist/orderitem/{item.pk}/change/")
    for parent in (item.order, item.product, item.seller):
        assert f"/admin/olist/{parent._meta.model_name}/{parent.pk}/change/" in html
    assert f"/admin/olist/orderitem/?q={item.order_id}" in page(superuser, f"olist/order/{item.order_id}/change/")


def test_no_link_leads_to_a_table_that_one_may_not_view(item: OrderItem) -> None:
    client = signed_in(may_view=("olist.order", "olist.orderitem"))
    pages = ("olist/order/", f"olist/order/{item.order_id}/change/", "olist/orderitem/")
    html = "".join(page(client, path) for path in (*pages, f"olist/orderitem/{item.pk}/change/"))
    for key in (item.order.customer_id, item.product_id, item.seller_id):
        assert key in html
    shown = set(re.findall(r"/admin/olist/(\w+)/", html))
    assert shown == {"order", "orderitem"}
    assert f"/admin/olist/orderitem/?q={item.order_id}" in html


def test_a_text_cannot_bring_markup_into_a_page(superuser: Client, customer: Customer) -> None:
    for path in ("olist/customer/", f"olist/customer/{customer.pk}/change/"):
        html = page(superuser, path)
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_a_comment_keeps_its_line_breaks_and_spaces(superuser: Client, order: Order) -> None:
    review = OrderReview.objects.create(
        review_id=hex_id(9),
        order=order,
        review_score=5,
        review_comment_message="  bom\n<b>demais</b> ",
        review_creation_date="2017-10-15 00:00:00",
        review_answer_timestamp="2017-10-16 00:00:00",
    )
    assert ">  bom\n&lt;b&gt;demais&lt;/b&gt; <" in page(superuser, f"olist/orderreview/{review.pk}/change/")


@pytest.mark.parametrize("key", ["order_id", "product_id", "seller_id"])
def test_a_search_finds_whole_ids_also_in_capitals_and_between_spaces(
    superuser: Client, item: OrderItem, key: str
) -> None:
    link = f"/admin/olist/orderitem/{item.pk}/change/"
    wanted = getattr(item, key)
    assert link in page(superuser, f"olist/orderitem/?q=%20{wanted.upper()}%20")
    assert link not in page(superuser, f"olist/orderitem/?q={wanted[1:]}")


@pytest.mark.parametrize(
    "term", ["%00", "%ff%fe", "9" * 5000, "%27", "a b", "&p=999", "&p=-1", "&p=x", "&all=", "&e=1"]
)
def test_an_odd_address_gets_a_page(superuser: Client, order: Order, term: str) -> None:
    for name in NAMES:
        response = superuser.get(f"/admin/{name}/?q={term}", secure=True, follow=True)
        assert response.status_code == 200
        assert superuser.get(f"/admin/{name}/{term}/change/", secure=True, follow=True).status_code == 200


@pytest.mark.parametrize("filter_", ["order_status=delivered", "customer__customer_city=x", "order_status__contains=e"])
def test_a_filter_that_would_scan_is_refused(superuser: Client, order: Order, filter_: str) -> None:
    page(superuser, f"olist/order/?{filter_}", status=400)


def test_every_search_is_led_by_an_index() -> None:
    searched = {
        model._meta.model_name: admin.site.get_model_admin(model).searched  # type: ignore[attr-defined]  # BigTableAdmin
        for model in MODELS
        if isinstance(admin.site.get_model_admin(model), BigTableAdmin)
    }
    assert searched == {
        "category": ["product_category_name"],
        "geolocation": ["geolocation_zip_code_prefix"],
        "customer": ["customer_id"],
        "seller": ["seller_id"],
        "product": ["product_id", "product_category"],
        "order": ["order_id", "customer"],
        "orderitem": ["order", "product", "seller"],
        "orderpayment": ["order"],
        "orderreview": ["review_id", "order"],
    }


def test_a_list_costs_the_same_few_queries_for_one_row_and_for_a_full_page(superuser: Client, item: OrderItem) -> None:
    one = cost(superuser, "olist/orderitem/", table="olist_order_items")
    OrderItem.objects.bulk_create(
        OrderItem(
            order_id=item.order_id,
            order_item_id=number,
            product_id=item.product_id,
            seller_id=item.seller_id,
            shipping_limit_date="2017-10-20 10:00:00",
            price="1.00",
            freight_value="1.00",
        )
        for number in range(2, 120)
    )
    full = cost(superuser, "olist/orderitem/", table="olist_order_items")
    assert len(full.queries) == len(one.queries) == 4  # session, user, bounded count, rows


def test_a_list_of_many_points_is_read_by_its_key_and_never_in_full(superuser: Client) -> None:
    fill(
        "insert into olist_geolocation (geolocation_zip_code_prefix, geolocation_lat, geolocation_lng,"
        " geolocation_city, geolocation_state) select lpad((n % 90000)::text, 5, '0'), -n / 10000.0, -46, 'sao paulo',"
        f" 'SP' from generate_series(1, {MANY}) n; analyze olist_geolocation"
    )
    for query in ("", "?p=2", f"?p={LAST_PAGE}", "?o=4.3"):
        seen = cost(superuser, f"olist/geolocation/{query}", table="olist_geolocation")
        assert len(seen.queries) <= 5
        assert seen.rows_read <= REACH_ROWS + 1
        assert seen.steps == {"Limit", "Index Scan"}
    assert cost(superuser, "olist/geolocation/?q=1037", table="olist_geolocation").rows_read == 3

    html = page(superuser, "olist/geolocation/")
    assert f"about {MANY:,} geolocations" in html
    assert f"?p={LAST_PAGE}" in html
    assert f"?p={LAST_PAGE + 1}" not in html
    response = superuser.get(f"/admin/olist/geolocation/?p={LAST_PAGE + 1}", secure=True)
    assert response["Location"].endswith("?e=1")


def test_a_list_by_text_keys_is_read_by_the_index_too(superuser: Client) -> None:
    fill(
        "insert into olist_customers select md5(n::text), md5((n / 2)::text), '01037', 'sao paulo', 'SP'"
        f" from generate_series(1, {MANY}) n; analyze olist_customers"
    )
    for query in ("", "?p=2", f"?p={LAST_PAGE}"):
        seen = cost(superuser, f"olist/customer/{query}", table="olist_customers")
        assert seen.rows_read <= REACH_ROWS + 1
        assert seen.steps == {"Limit", "Index Scan"}
    spent = cost(superuser, "olist/customer/?q=c4ca4238a0b923820dcc509a6f75849b", table="olist_customers")
    assert spent.rows_read == 1
    assert "Seq Scan" not in spent.steps


def test_a_small_table_is_counted_exactly(superuser: Client, customer: Customer) -> None:
    assert "1 customer\n" in page(superuser, "olist/customer/")
    assert Geolocation.objects.count() == 0
    assert "0 geolocations" in page(superuser, "olist/geolocation/")
