"""What was in each order, and how it was paid."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from olist.sample import layout, text
from olist.sample.clean.catalogue import Parties, popular, spread
from olist.sample.clean.orders import CANCELED, CREATED, DAY, DELIVERED, UNAVAILABLE, Orders
from olist.sample.sizes import Sizes
from olist.sample.text import Ints, Mask

PAYMENT_TYPES: Final = ("credit_card", "boleto", "voucher", "debit_card", "not_defined")
CREDIT_CARD, BOLETO, VOUCHER, DEBIT_CARD, NOT_DEFINED = range(len(PAYMENT_TYPES))
_TYPE_SHARES: Final = (0.7475, 0.1975, 0.040, 0.015)
_INSTALLMENTS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 24)
_INSTALLMENT_WEIGHTS: Final = (255, 124, 105, 71, 52, 39, 16, 43, 6, 53, 1.3, 0.7, 0.3, 0.2, 0.2)
_MOST_EXTRA_PAYMENTS: Final = 28
_FREE_FREIGHT = 383 / 112_650
_NEVER_LATE_SECONDS: Final = 600 * DAY  # one shipping limit lies far in the future


@dataclass(frozen=True)
class Items:
    """n items, by order id: order, product and seller (indices), number within the order, centavos, last moment."""

    order: Ints
    number: Ints
    product: Ints
    seller: Ints
    price: Ints
    freight: Ints
    limit: Ints


@dataclass(frozen=True)
class Payments:
    """n payments: order (index), number within the order, type (index), installments, centavos."""

    order: Ints
    number: Ints
    type: Ints
    installments: Ints
    value: Ints


def build_items(rng: np.random.Generator, orders: Orders, parties: Parties, sizes: Sizes) -> Items:
    """Fill all orders but some that came to nothing; most get one item, a few many."""
    nothing = np.flatnonzero(np.isin(orders.status, (UNAVAILABLE, CREATED, CANCELED)))
    idle = np.zeros(sizes.orders, bool)
    idle[rng.choice(nothing, min(len(nothing), sizes.orders_without_items), replace=False)] = True
    by_id = pc.sort_indices(orders.ids).to_numpy().astype(np.int64)
    filled = by_id[~idle[by_id]]
    counts = np.ones(len(filled), np.int64)
    extra = sizes.items - len(filled)
    several = rng.choice(len(filled), max(1, round(extra * 0.7)), replace=False)
    np.add.at(counts, several, 1)
    np.add.at(counts, several[popular(rng, extra - len(several), len(several))], 1)
    order = np.repeat(filled, counts)
    product = spread(rng, len(order), sizes.products)
    freight = np.clip(rng.gamma(3.2, 625, len(order)), 1, 40_968).astype(np.int64)
    freight[rng.choice(len(order), text.share(len(order), _FREE_FREIGHT), replace=False)] = 0
    limit = orders.purchase[order] + rng.integers(2 * DAY, 10 * DAY, len(order))
    limit[limit.argmax()] += _NEVER_LATE_SECONDS
    seller = parties.seller_of[product]
    return Items(order, _numbered(counts), product, seller, parties.price[product], freight, limit)


def _numbered(counts: Ints) -> Ints:
    """Count 1, 2, ... within each group of ``counts`` rows."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) - np.repeat(starts, counts) + 1


def build_payments(rng: np.random.Generator, orders: Orders, items: Items, sizes: Sizes) -> Payments:
    """Pay each order's total, but for one order without a payment; some are paid in several ways."""
    total = np.bincount(items.order, items.price + items.freight, sizes.orders).astype(np.int64)
    total[total == 0] = rng.integers(2_000, 20_000, int((total == 0).sum()))
    delivered = rng.permutation(np.flatnonzero(orders.status == DELIVERED))
    counts = np.ones(sizes.orders, np.int64)
    counts[delivered[0]] = 0
    extra = sizes.payments - int(counts.sum())
    if extra > 2 * _MOST_EXTRA_PAYMENTS:
        counts[delivered[1]] += _MOST_EXTRA_PAYMENTS
        extra -= _MOST_EXTRA_PAYMENTS
    several = delivered[2 : 2 + max(1, round(extra * 0.65))]
    np.add.at(counts, several, 1)
    np.add.at(counts, several[popular(rng, extra - len(several), len(several))], 1)
    order = np.repeat(np.arange(sizes.orders), counts)
    number = _numbered(counts)
    kind = np.where(number > 1, VOUCHER, rng.choice(DEBIT_CARD + 1, len(order), p=_TYPE_SHARES))
    weights = np.array(_INSTALLMENT_WEIGHTS)
    parts = rng.choice(np.array(_INSTALLMENTS), len(order), p=weights / weights.sum())
    part = total // np.maximum(counts, 1)
    value = np.where(number > 1, part[order], (total - part * (counts - 1))[order])
    _add_oddities(rng, kind, parts, value, alone=(counts[order] == 1), canceled=(orders.status[order] == CANCELED))
    installments = np.where(kind == CREDIT_CARD, parts, 1)
    shuffled = rng.permutation(len(order))
    return Payments(order[shuffled], number[shuffled], kind[shuffled], installments[shuffled], value[shuffled])


def _add_oddities(
    rng: np.random.Generator, kind: Ints, installments: Ints, value: Ints, *, alone: Mask, canceled: Mask
) -> None:
    """Add three undefined payments of nothing, six vouchers of nothing, and two payments in 0 installments."""
    undefined = rng.permutation(np.flatnonzero(alone & canceled))[:3]
    kind[undefined], value[undefined] = NOT_DEFINED, 0
    value[rng.permutation(np.flatnonzero(~alone & (kind == VOUCHER)))[:6]] = 0
    installments[rng.permutation(np.flatnonzero(alone & (kind == CREDIT_CARD)))[:2]] = 0


def item_frame(items: Items, orders: Orders, parties: Parties) -> pd.DataFrame:
    """Write the items, in the order of the order ids."""
    columns = (
        orders.ids.take(items.order),
        text.integers(items.number),
        parties.products.take(items.product),
        parties.sellers.take(items.seller),
        text.moments(items.limit),
        text.money(items.price),
        text.money(items.freight),
    )
    return text.frame(dict(zip(layout.ORDER_ITEMS.names, columns, strict=True)))


def payment_frame(payments: Payments, orders: Orders) -> pd.DataFrame:
    """Write the payments, in no order."""
    columns = (
        orders.ids.take(payments.order),
        text.integers(payments.number),
        text.pick(PAYMENT_TYPES, payments.type),
        text.integers(payments.installments),
        text.money(payments.value),
    )
    return text.frame(dict(zip(layout.ORDER_PAYMENTS.names, columns, strict=True)))
