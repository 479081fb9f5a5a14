"""What customers wrote: scores, titles and comments with everything that people type."""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from olist.sample import layout, text
from olist.sample.clean.orders import DAY, HOUR, Orders
from olist.sample.clean.words import EMOJI, ENDINGS, MIDDLES, OPENINGS, QUOTED, TITLES
from olist.sample.sizes import Sizes
from olist.sample.text import Ints, Mask, Text

_REPEATED_ID = 814 / 99_224
_SCORE_SHARES: Final = (0.115, 0.032, 0.082, 0.193, 0.578)  # 1 to 5
_WITH_TITLE: Final = 0.117
_WITH_MESSAGE: Final = 0.413
_AT_ONE_O_CLOCK: Final = 85 / 99_224  # created at a midnight that the start of DST skipped
# How a comment's parts are joined, with the share of each.
_JOINTS: Final = {", ": 0.35, ". ": 0.35, " e ": 0.21, "\r\n": 0.04, "\n": 0.03, "\r\n\r\n": 0.02}
_PREFIXES: Final = ("", " ", *QUOTED)
_PREFIX_SHARES: Final = (0.985, 0.012, 0.001, 0.001, 0.001)
_SUFFIXES: Final = ("", " ", "\r\n", *(f" {emoji}" for emoji in EMOJI))
_SUFFIX_SHARES: Final = (0.75, 0.20, 0.044, *[0.001] * len(EMOJI))


def build_reviewed(rng: np.random.Generator, sizes: Sizes) -> Ints:
    """Draw the orders (indices) that are reviewed: most once, a few twice (those come last), some not at all."""
    reviewed = rng.permutation(sizes.orders)[: sizes.orders - sizes.orders_without_review]
    return np.concatenate([reviewed, reviewed[: sizes.reviews - len(reviewed)]])


def review_frame(rng: np.random.Generator, orders: Orders, reviewed: Ints) -> pd.DataFrame:
    """Write one review for each of ``reviewed``; some speak of another order too, under the same id."""
    count = len(reviewed)
    silent = rng.random(count) >= _WITH_MESSAGE
    source = _sources(rng, reviewed, silent)
    known = np.where(orders.no_delivery, orders.estimated, orders.delivered)[reviewed]
    created = (known // DAY + 1) * DAY
    created[rng.choice(count, text.share(count, _AT_ONE_O_CLOCK), replace=False)] += HOUR
    answered = created + (HOUR * np.clip(rng.lognormal(np.log(40), 0.9, count), 2, 12_000)).astype(np.int64)
    score = 1 + rng.choice(len(_SCORE_SHARES), count, p=_SCORE_SHARES)
    titles = text.pick(TITLES, rng.integers(0, len(TITLES), count), rng.random(count) >= _WITH_TITLE)
    columns = (
        text.hex_ids(rng, count),
        text.integers(score),
        titles,
        _messages(rng, silent),
        text.moments(created),
        text.moments(answered),
    )
    review_id, *rest = (column.take(source) for column in columns)
    frame = text.frame(
        dict(zip(layout.ORDER_REVIEWS.names, (review_id, orders.ids.take(reviewed), *rest), strict=True))
    )
    return frame.take(rng.permutation(count)).reset_index(drop=True)


def _sources(rng: np.random.Generator, reviewed: Ints, silent: Mask) -> Ints:
    """Tell which review (index) each one repeats: itself, or another order's. Only silent ones repeat another."""
    count = len(reviewed)
    once = len(np.unique(reviewed))
    repeats = rng.permutation(np.flatnonzero(silent[:once]))[: text.share(count, _REPEATED_ID, least=2)]
    source = np.arange(count)
    source[repeats] = rng.choice(np.setdiff1d(np.arange(once), repeats), len(repeats), replace=False)
    return source


def _messages(rng: np.random.Generator, missing: Mask) -> Text:
    """Compose comments of at most 208 characters; each habit is in at least one, however few there are."""
    count = len(missing)
    written = rng.permutation(np.flatnonzero(~missing))
    joint = rng.choice(len(_JOINTS), count, p=list(_JOINTS.values()))
    prefix = rng.choice(len(_PREFIXES), count, p=_PREFIX_SHARES)
    suffix = rng.choice(len(_SUFFIXES), count, p=_SUFFIX_SHARES)
    for choices, habits in ((joint, _JOINTS), (prefix, _PREFIXES), (suffix, _SUFFIXES)):
        sure = written[: len(habits)]
        choices[sure] = np.arange(len(sure))
        written = written[len(sure) :]
    parts = (
        text.pick(_PREFIXES, prefix),
        text.pick(OPENINGS, rng.integers(0, len(OPENINGS), count)),
        text.pick(list(_JOINTS), joint),
        text.pick(MIDDLES, rng.integers(0, len(MIDDLES), count)),
        text.pick(ENDINGS, rng.integers(0, len(ENDINGS), count)),
        text.pick(_SUFFIXES, suffix),
    )
    shouted = pa.array(rng.random(count) < 0.03)
    message = text.glue(*parts)
    shown: Text = pc.if_else(pa.array(missing), None, pc.if_else(shouted, pc.utf8_upper(message), message))
    return shown
