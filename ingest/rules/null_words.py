"""Words that tools write where a table has NULL."""

import re

MAX_CHARACTERS = 100
PATTERN = r'^[^",\x00-\x1F\x7F-\x9F]+$'  # of a word, by ECMA 262 and Python alike
NONE = "none"  # where a person names the word: there is no such word
# Exactly as they are written, for no tool writes other cases of them, and `Na` or `none` may be somebody's text:
# ClickHouse, MariaDB and PostgreSQL's COPY; MariaDB without escapes, Hive and SQL Server; JSON's, by Spark and Trino;
# Oracle's tools and psql where it is told to; R; spreadsheets; pandas and NumPy where text was made of it; Polars and
# JavaScript; Python; pandas.
NULL_WORDS = ("\\N", "NULL", "null", "(null)", "NA", "N/A", "nan", "NaN", "None", "<NA>")


def fault_of(word: str) -> str:
    """Say why ``word`` cannot be a cell without quotes that means NULL; empty where it can."""
    if not word:
        return "The word is empty: an empty cell is NULL anyway."
    if len(word) > MAX_CHARACTERS:
        return f"A word for NULL has no more than {MAX_CHARACTERS} characters."
    if not re.fullmatch(PATTERN, word) or re.search("[\ud800-\udfff]", word):
        return "A word for NULL stands in a cell without quotes: it has no comma, quote or control character."
    return ""
