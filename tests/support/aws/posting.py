"""A batch over HTTP and the replay of what it refused, on whatever database the environment names."""

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402

from access.tokens import create_token  # noqa: E402

ORDER, CUSTOMER = "0" * 31 + "b", "0" * 31 + "c"
PAYMENT = {"order_id": ORDER, "payment_sequential": 1, "payment_type": "boleto", "payment_installments": 1}
RECORDS = [
    {
        "table": "customers",
        "data": {
            "customer_id": CUSTOMER,
            "customer_unique_id": CUSTOMER,
            "customer_zip_code_prefix": "01037",
            "customer_city": "sao paulo",
            "customer_state": "SP",
        },
    },
    {
        "table": "orders",
        "data": {
            "order_id": ORDER,
            "customer_id": CUSTOMER,
            "order_status": "created",
            "order_purchase_timestamp": "2018-08-01 10:00:00",
            "order_estimated_delivery_date": "2018-08-20 00:00:00",
        },
    },
    {"table": "order_payments", "data": {**PAYMENT, "payment_value": "-1.00"}},
]


def main() -> None:
    """Post, repair, replay; print what came of each."""
    user = User.objects.create_superuser("poster")
    token = create_token(user, name="of a test", expires=None)
    client = Client(headers={"authorization": f"Token {token}", "host": "localhost"})
    posted = client.post("/api/v1/batches/", {"records": RECORDS}, content_type="application/json", secure=True)
    (rejected,) = posted.json()["results"]
    replayed = client.post(
        f"/api/v1/rejects/{rejected['reject_id']}/replay/",
        {"record": {**PAYMENT, "payment_value": "1.00"}},
        content_type="application/json",
        secure=True,
    )
    print(posted.status_code, rejected["reasons"][0]["code"], replayed.status_code)


main()
