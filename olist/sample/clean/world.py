"""Where people live: zip prefixes with their city, and the points that the geolocation file gives for them."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from olist.sample import layout, text
from olist.sample.clean.places import POINTS_ABROAD, STATES
from olist.sample.sizes import Sizes
from olist.sample.text import Floats, Ints, Text

SLICE_POINTS: Final = 200_000  # keeps memory bounded at any scale
_LACKING_SHARE = 0.008  # zip prefixes that customers use and geolocation lacks
_ACCENTED_SHARE = 0.05
_ABROAD_SHARE = 26 / 1_000_163
_ROUNDED_SHARE = 0.04  # coordinates with six decimals only


@dataclass(frozen=True)
class World:
    """n zip prefixes: number, state and city (indices), centre in degrees. The last ``lacking`` have no point."""

    zips: Ints
    state: Ints
    city: Ints
    lat: Floats
    lng: Floats
    lacking: int

    @property
    def mapped(self) -> int:
        """How many of them, from the first, have points."""
        return len(self.zips) - self.lacking

    @cached_property
    def zip_texts(self) -> Text:
        """Five digits for each zip prefix."""
        return text.zips(self.zips)

    def cities(self, at: Ints) -> Text:
        """Name the cities of zip prefixes ``at`` without accents, as most files do."""
        return text.pick(_PLAIN_CITIES, self.city[at])

    def states(self, at: Ints) -> Text:
        """Name the states of zip prefixes ``at``."""
        return text.pick([state.code for state in STATES], self.state[at])


def without_accents(name: str) -> str:
    """Spell a name in ASCII."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


_CITIES = [city for state in STATES for city in state.cities]
_PLAIN_CITIES = [without_accents(city) for city in _CITIES]


def build_world(rng: np.random.Generator, sizes: Sizes) -> World:
    """Spread zip prefixes over the states by their share of customers, each with a city and a point."""
    numbers, states, cities = [], [], []
    first_city = 0
    for index, state in enumerate(STATES):
        room = np.arange(state.first_zip, state.last_zip + 1)
        drawn = rng.choice(room, min(len(room), max(1, round(state.share * sizes.zips))), replace=False)
        weight = 1 / np.arange(1, len(state.cities) + 1) ** 1.3
        numbers.append(np.sort(drawn))
        states.append(np.full(len(drawn), index))
        cities.append(first_city + rng.choice(len(state.cities), len(drawn), p=weight / weight.sum()))
        first_city += len(state.cities)
    zips, state_at, city_at = (np.concatenate(parts).astype(np.int64) for parts in (numbers, states, cities))
    lacking = text.share(len(zips), _LACKING_SHARE, least=2)
    last = np.zeros(len(zips), bool)
    last[rng.choice(len(zips), lacking, replace=False)] = True
    order = np.argsort(last, kind="stable")
    centre = np.array([(state.lat, state.lng) for state in STATES])[state_at] + rng.normal(0, 0.7, (len(zips), 2))
    return World(zips[order], state_at[order], city_at[order], centre[order, 0], centre[order, 1], lacking)


def geolocation_frames(rng: np.random.Generator, world: World, sizes: Sizes) -> Iterator[pd.DataFrame]:
    """Yield the points slice by slice, roughly by zip prefix, each slice with its share of exact duplicates."""
    distinct = sizes.points - sizes.repeated_points
    weight = rng.lognormal(0, 1, world.mapped)
    ends = np.cumsum(1 + rng.multinomial(distinct - world.mapped, weight / weight.sum()))
    habits = rng.permutation(distinct)[: 1 + text.share(distinct, _ABROAD_SHARE, least=len(POINTS_ABROAD))]
    for start in range(0, distinct, SLICE_POINTS):
        stop = min(start + SLICE_POINTS, distinct)
        at = np.searchsorted(ends, np.arange(start, stop), "right")
        here = habits[(habits >= start) & (habits < stop)] - start
        padded = habits[:1][(habits[:1] >= start) & (habits[:1] < stop)] - start
        points = _points(rng, world, at, abroad=np.setdiff1d(here, padded), padded=padded)
        repeated = sizes.repeated_points * stop // distinct - sizes.repeated_points * start // distinct
        may_repeat = np.setdiff1d(np.arange(stop - start), here)
        again = may_repeat[(len(may_repeat) * rng.random(repeated) ** 1.5).astype(np.int64)]
        rows = np.sort(np.concatenate([np.arange(stop - start), again]))
        rows = rows[np.argsort(np.arange(len(rows)) + rng.normal(0, 20, len(rows)), kind="stable")]
        yield points.take(rows).reset_index(drop=True)


def _points(rng: np.random.Generator, world: World, at: Ints, *, abroad: Ints, padded: Ints) -> pd.DataFrame:
    """Return one distinct point for each zip prefix of ``at``: the jitter has some 45 random bits."""
    count = len(at)
    lat = world.lat[at] + rng.normal(0, 0.02, count)
    lng = world.lng[at] + rng.normal(0, 0.02, count)
    lat = np.where(rng.random(count) < _ROUNDED_SHARE, lat.round(6), lat)
    elsewhere = np.array(POINTS_ABROAD)[np.arange(len(abroad)) % len(POINTS_ABROAD)]
    lat[abroad], lng[abroad] = (elsewhere - rng.random((len(abroad), 2)) / 1000).T
    accented = pa.array(rng.random(count) < _ACCENTED_SHARE)
    city = pc.if_else(accented, text.pick(_CITIES, world.city[at]), world.cities(at))
    end = np.zeros(count, np.int64)
    end[padded] = 1
    columns = (
        world.zip_texts.take(at),
        text.degrees(lat),
        text.degrees(lng),
        text.glue(city, text.pick(["", " "], end)),
        world.states(at),
    )
    return text.frame(dict(zip(layout.GEOLOCATION.names, columns, strict=True)))
