#!/usr/bin/env bash
# Quotes around a CSV field do not make it text for every reader: PyArrow 26.0.1 and Polars 2.1.0 infer an integer from a
# column of quoted digits and drop the leading zeros of postcodes; DuckDB 2.0.0 keeps the same file's column as text.
# So a table that went through two of them has two spellings of one postcode. Guessed before: that a quoted field is text
# for all of them, as it is for the writers that quote texts alone.
# Name the column's type when reading. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.0
printf 'city,postcode\n"sao paulo","01037"\n"rio","20040"\n' >"$folder/cities.csv"
"$folder/venv/bin/python" - "$folder/cities.csv" <<'PYTHON'
import sys

import duckdb
import polars
from pyarrow import csv

path = sys.argv[1]
read = {
    "pyarrow": csv.read_csv(path)["postcode"].to_pylist(),
    "polars": polars.read_csv(path)["postcode"].to_list(),
    "duckdb": [code for (code,) in duckdb.sql(f"select postcode from read_csv('{path}')").fetchall()],
}
for tool, values in read.items():
    print(f"{tool}: {values}")
assert read == {"pyarrow": [1037, 20040], "polars": [1037, 20040], "duckdb": ["01037", "20040"]}
PYTHON
