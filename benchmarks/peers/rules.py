"""The rules of ``olist/models.py`` as Pydantic models, for the FastAPI service."""

import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

ZONE = ZoneInfo("America/Sao_Paulo")
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:?[0-9]{2})?$"
LINE = "^[^\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]+$"
MAX_INTEGER = 2_147_483_647


def _on_the_wall(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(ZONE).replace(tzinfo=None)


def _moment(*_: Any) -> CoreSchema:
    # The shape first, in Rust like the parsing: Pydantic alone would also take numbers and bare dates.
    shape = core_schema.str_schema(strip_whitespace=True, pattern=MOMENT)
    parsed = core_schema.chain_schema([shape, core_schema.datetime_schema()])
    return core_schema.no_info_after_validator_function(_on_the_wall, parsed)


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _pad(value: object) -> object:
    text = str(value).strip().removesuffix(".0")
    return f"0{text}" if len(text) == 4 and not text.startswith("0") else text


def _ascii_digits(value: object) -> object:
    if isinstance(value, str) and not value.isascii():  # Python's Decimal takes the digits of every script
        raise ValueError("Enter a number.")
    return value


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


BLANK = BeforeValidator(_blank_is_none)
HexId = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern="^[0-9a-fA-F]{32}$")]
Moment = Annotated[datetime, GetPydanticSchema(_moment)]
MaybeMoment = Annotated[Moment | None, BLANK]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=LINE), AfterValidator(_compose)]
Zip = Annotated[str, BeforeValidator(_pad), StringConstraints(pattern="^[0-9]{5}$")]
State = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_upper=True,
        pattern="^(?i:SP|RJ|MG|RS|PR|SC|BA|DF|ES|GO|PE|CE|PA|MT|MA|MS|PB|PI|RN|AL|SE|TO|RO|AM|AC|AP|RR)$",
    ),
]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Number = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
MaybeCount = Annotated[Count | None, BLANK]
Money = Annotated[
    Decimal,
    BeforeValidator(_ascii_digits),
    Field(ge=0, max_digits=10, decimal_places=2, allow_inf_nan=False),
]
Status = Literal[
    "delivered", "shipped", "canceled", "unavailable", "invoiced", "processing", "created", "approved"
]  # fmt: skip
Payment = Literal["credit_card", "boleto", "voucher", "debit_card", "not_defined"]
_PROSE = "^[^\\x00]*$"


class Record(BaseModel):
    """A record of any table: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Category(Record):
    product_category_name: Line
    product_category_name_english: Annotated[Line | None, BLANK] = None


class Geolocation(Record):
    geolocation_zip_code_prefix: Zip
    geolocation_lat: Annotated[float, Field(ge=-90, le=90)]
    geolocation_lng: Annotated[float, Field(ge=-180, le=180)]
    geolocation_city: Line
    geolocation_state: State


class Customer(Record):
    customer_id: HexId
    customer_unique_id: HexId
    customer_zip_code_prefix: Zip
    customer_city: Line
    customer_state: State


class Seller(Record):
    seller_id: HexId
    seller_zip_code_prefix: Zip
    seller_city: Line
    seller_state: State


class Product(Record):
    product_id: HexId
    product_category_name: Annotated[Line | None, BLANK] = None
    product_name_lenght: MaybeCount = None
    product_description_lenght: MaybeCount = None
    product_photos_qty: MaybeCount = None
    product_weight_g: MaybeCount = None
    product_length_cm: MaybeCount = None
    product_height_cm: MaybeCount = None
    product_width_cm: MaybeCount = None


class Order(Record):
    order_id: HexId
    customer_id: HexId
    order_status: Annotated[Status, BeforeValidator(_strip)]
    order_purchase_timestamp: Moment
    order_approved_at: MaybeMoment = None
    order_delivered_carrier_date: MaybeMoment = None
    order_delivered_customer_date: MaybeMoment = None
    order_estimated_delivery_date: Moment

    @model_validator(mode="after")
    def nothing_before_the_purchase(self) -> Self:
        bought = self.order_purchase_timestamp
        if self.order_approved_at and self.order_approved_at < bought:
            raise ValueError("An order cannot be approved before its purchase.")
        if self.order_delivered_customer_date and self.order_delivered_customer_date < bought:
            raise ValueError("An order cannot be delivered before its purchase.")
        if self.order_estimated_delivery_date < bought:
            raise ValueError("The estimated delivery cannot be before the purchase.")
        return self


class OrderItem(Record):
    order_id: HexId
    order_item_id: Number
    product_id: HexId
    seller_id: HexId
    shipping_limit_date: Moment
    price: Money
    freight_value: Money


class OrderPayment(Record):
    order_id: HexId
    payment_sequential: Number
    payment_type: Annotated[Payment, BeforeValidator(_strip)]
    payment_installments: Count
    payment_value: Money


class OrderReview(Record):
    review_id: HexId
    order_id: HexId
    review_score: Annotated[int, Field(ge=1, le=5)]
    review_comment_title: Annotated[Annotated[str, StringConstraints(max_length=200, pattern=_PROSE)] | None, BLANK] = (
        None
    )
    review_comment_message: Annotated[
        Annotated[str, StringConstraints(max_length=5000, pattern=_PROSE)] | None, BLANK
    ] = None
    review_creation_date: Moment
    review_answer_timestamp: Moment

    @model_validator(mode="after")
    def answered_after_created(self) -> Self:
        if self.review_answer_timestamp < self.review_creation_date:
            raise ValueError("A review cannot be answered before it was created.")
        return self
