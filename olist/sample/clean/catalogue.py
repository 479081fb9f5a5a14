"""What is sold, by whom, to whom: categories, products, sellers and customers."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from olist.sample import layout, text
from olist.sample.clean.places import ODD_SELLER_CITIES
from olist.sample.clean.words import CATEGORIES, UNTRANSLATED
from olist.sample.clean.world import World
from olist.sample.sizes import Sizes
from olist.sample.text import Floats, Ints, Text

_WITHOUT_CATEGORY = 610 / 32_951
_UNTRANSLATED = 13 / 32_951
_WITHOUT_MEASURES: Final = 2
_WEIGHTLESS: Final = 4
_KNOWN_PEOPLE = 96_096 / 99_441  # distinct people among the customers, of whom each order has its own
_LACKING_ZIPS = 0.0028


@dataclass(frozen=True)
class Parties:
    """The ids that sales refer to, and each product's seller (index) and price (centavos)."""

    customers: Text
    sellers: Text
    products: Text
    seller_of: Ints
    price: Ints


def build_parties(rng: np.random.Generator, sizes: Sizes) -> Parties:
    """Draw ids; every seller has a product, and a few have many."""
    seller_of = spread(rng, sizes.products, sizes.sellers)
    price = np.clip(rng.lognormal(np.log(7_000), 0.95, sizes.products), 85, 673_500).astype(np.int64)
    price = np.where(rng.random(sizes.products) < 0.7, price // 100 * 100 + 90, price)
    return Parties(
        text.hex_ids(rng, sizes.orders),
        text.hex_ids(rng, sizes.sellers),
        text.hex_ids(rng, sizes.products),
        seller_of,
        price,
    )


def spread(rng: np.random.Generator, count: int, parents: int) -> Ints:
    """Return a parent (index) for each of ``count`` children: every parent gets one, popular ones get many."""
    drawn = np.concatenate([np.arange(parents), popular(rng, count - parents, parents)])
    rng.shuffle(drawn)
    return drawn


def popular(rng: np.random.Generator, count: int, parents: int) -> Ints:
    """Return a parent (index) for each of ``count`` children, the first ones far more often than the last."""
    return (parents * rng.random(count) ** 2).astype(np.int64)


def category_frame() -> pd.DataFrame:
    """Return the translation file: 71 categories at any scale."""
    native, english = zip(*CATEGORIES, strict=True)
    names = layout.TRANSLATION.names
    return text.frame({names[0]: pa.array(native), names[1]: pa.array(english)})


def customer_frame(rng: np.random.Generator, world: World, parties: Parties) -> pd.DataFrame:
    """Return one customer for each order, some with a zip prefix that geolocation lacks."""
    count = len(parties.customers)
    people = text.hex_ids(rng, max(1, round(count * _KNOWN_PEOPLE)))
    person = spread(rng, count, len(people))
    home = rng.integers(0, world.mapped, count)
    unknown = rng.choice(count, text.share(count, _LACKING_ZIPS, least=2), replace=False)
    home[unknown] = rng.integers(world.mapped, len(world.zips), len(unknown))
    columns = (
        parties.customers,
        people.take(person),
        world.zip_texts.take(home),
        world.cities(home),
        world.states(home),
    )
    frame = text.frame(dict(zip(layout.CUSTOMERS.names, columns, strict=True)))
    return frame.take(rng.permutation(count)).reset_index(drop=True)


def seller_frame(rng: np.random.Generator, world: World, parties: Parties) -> pd.DataFrame:
    """Return the sellers; some typed odd things for their city."""
    count = len(parties.sellers)
    home = rng.integers(0, world.mapped, count)
    cities = world.cities(home).to_pylist()
    for row, odd in zip(rng.choice(count, len(ODD_SELLER_CITIES), replace=False), ODD_SELLER_CITIES, strict=True):
        cities[row] = odd
    columns = (parties.sellers, world.zip_texts.take(home), pa.array(cities), world.states(home))
    return text.frame(dict(zip(layout.SELLERS.names, columns, strict=True)))


def product_frame(rng: np.random.Generator, parties: Parties) -> pd.DataFrame:
    """Return the products, some without a category and its texts, two without measures."""
    count = len(parties.products)
    names = [native for native, _ in CATEGORIES] + list(UNTRANSLATED)
    category = (len(CATEGORIES) * rng.random(count) ** 1.7).astype(np.int64)
    order = rng.permutation(count)
    bare = np.zeros(count, bool)
    foreign = text.share(count, _UNTRANSLATED, least=len(UNTRANSLATED))
    category[order[:foreign]] = len(CATEGORIES) + np.arange(foreign) % len(UNTRANSLATED)
    bare[order[foreign : foreign + text.share(count, _WITHOUT_CATEGORY)]] = True
    unmeasured = np.zeros(count, bool)
    unmeasured[order[-_WITHOUT_MEASURES:]] = True
    weight = _whole(rng.lognormal(np.log(700), 1.4, count), 50, 40_425)
    weight[order[-_WITHOUT_MEASURES - _WEIGHTLESS : -_WITHOUT_MEASURES]] = 0
    described = (
        _whole(rng.normal(48.5, 10, count), 5, 76),
        _whole(rng.lognormal(np.log(595), 0.75, count), 4, 3_992),
        _whole(rng.geometric(0.45, count), 1, 20),
    )
    measured = (
        weight,
        _whole(rng.lognormal(np.log(26), 0.45, count), 7, 105),
        _whole(rng.lognormal(np.log(13), 0.65, count), 2, 105),
        _whole(rng.lognormal(np.log(20), 0.45, count), 6, 118),
    )
    columns = (
        parties.products,
        text.pick(names, category, bare),
        *(text.integers(values, bare) for values in described),
        *(text.integers(values, unmeasured) for values in measured),
    )
    return text.frame(dict(zip(layout.PRODUCTS.names, columns, strict=True)))


def _whole(values: Floats | Ints, low: int, high: int) -> Ints:
    return np.clip(values, low, high).astype(np.int64)
