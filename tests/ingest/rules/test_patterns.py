"""Patterns: what the common subset lets through means the same to Python, RE2 and PostgreSQL; the rest says why not."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.rules import patterns
from ingest.rules.fields import ONE_LINE

QUICK = settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

CLASSES = st.sampled_from(
    ["[ab]", "[^a]", "[a-c0-9]", "[]a]", "[^]a]", r"[\]a]", "[a-]", r"[a\-c]", r"[a.$^]", "[é-ü]"]
)
ATOMS = st.sampled_from(["a", "b", "é", " ", r"\.", r"\$", r"\{", "-", "/", "'", "\n"]) | CLASSES
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "{0}", "*?", "+?", "??", "{1,2}?"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouped = st.builds("(?:{}){}".format, inner, REPEATS) | st.builds("({}){}".format, inner, REPEATS)
    return grouped | st.builds("{}|{}".format, inner, inner) | st.lists(inner, max_size=4).map("".join)


BODIES = st.recursive(st.builds("{}{}".format, ATOMS, REPEATS), _larger, max_leaves=6)
# Anything at all, out of the characters that mean something to one engine or another.
SCRAWLS = st.text(r"ab09{},[]()|?*+\.^$:=!<-&~ ", max_size=9)
TEXTS = st.lists(
    st.text("abcABCéü019.$^-]\\{}/' \n\r\u2028\U0001f600", max_size=6) | st.sampled_from(["", "a\n", "ab", "aa"]),
    max_size=8,
)


def by_python(body: str, texts: Sequence[str]) -> list[bool]:
    return [re.match(patterns.python(body), text) is not None for text in texts]


def by_re2(body: str, texts: Sequence[str]) -> list[bool]:
    return list(pc.match_substring_regex(pa.array(texts, pa.string()), patterns.re2(body)).to_pylist())


def by_postgres(body: str, texts: Sequence[str]) -> list[bool]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select array(select t ~ %s from unnest(%s::text[]) t)", [patterns.postgres(body), list(texts)])
        (verdicts,) = cursor.fetchone() or ([],)
    return list(verdicts)


def agree(body: str, texts: Sequence[str]) -> None:
    expected = [re.fullmatch(body, text) is not None for text in texts]
    assert by_python(body, texts) == expected
    assert by_re2(body, texts) == expected
    assert by_postgres(body, texts) == expected


@given(body=BODIES, texts=TEXTS)
@example("[0-9a-f]{32}", ["0" * 32, "0" * 32 + "\n", "0" * 31])
@example("(?:a|ab)(?:c|bcd)", ["abcd", "abc"])
@QUICK
def test_a_pattern_of_the_subset_means_the_same_to_three_engines(db: None, body: str, texts: list[str]) -> None:
    assert patterns.problem(body) is None
    agree(body, texts)


@given(body=SCRAWLS, texts=TEXTS)
@example("a{,2}", ["a", "aa", "a{,2}"])
@example("a{", ["a{"])
@example("a{1", ["a{1"])
@example("[[a]", ["[", "a"])
@example("[a--b]", ["-", "a"])
@example("a|", ["", "a"])
@example("", ["", "a"])
@QUICK
def test_whatever_is_let_through_means_the_same_to_three_engines(db: None, body: str, texts: list[str]) -> None:
    if patterns.problem(body) is None:
        agree(body, texts)


@pytest.mark.parametrize(
    "body", ["[0-9a-f]{32}", "[0-9]{5}", "(?:a|b)", "[^a]{0,255}", ONE_LINE, r"[0-9]+\.[0-9]{2}", "[^/]"]
)
def test_the_patterns_that_people_write_are_let_through(body: str) -> None:
    assert patterns.problem(body) is None


@pytest.mark.parametrize(
    "body",
    [
        *(r"\d{5}", r"\w+", r"\s", r"a\b", r"\Aa", r"a\Z", r"a\z", r"\p{L}", r"\u0041", r"\x41", r"(a)\1", r"\n"),
        *("(?=a)a", "(?!a)b", "(?<=a)b", "(?<!a)b", "(?i)a", "(?i:a)", "(?P<x>a)", "(?#why)a", "(?>a)"),
        *("a++", "a*+", "a?+", "a{2}+", "[[:alpha:]]", "[[:digit:]a]", "[[.a.]]", "[[=a=]]"),
        *("a.c", "^a", "a$", "(?:^a|b$)", "a{256}", "a{1,300}", "a{1000}"),
        *("(", "a)", "[a", "*a", "a**", "a{2,1}", "[b-a]", "a\\"),
        *("(?:[0-9]{255}){255}", "(?:(?:a{99}){99}){99}"),
    ],
)
def test_what_engines_understand_differently_is_refused_with_a_reason(body: str) -> None:
    why = patterns.problem(body)
    assert why
    assert len(why) > len("no")


def test_a_trailing_newline_is_part_of_the_text_to_all(db: None) -> None:
    agree("[0-9]{5}", ["12345", "12345\n", "\n12345", "12345\r\n"])


def test_only_ascii_digits_are_digits_to_all(db: None) -> None:
    agree("[0-9]{2}", ["51", "\uff15\uff11", "\u0665\u0661"])
