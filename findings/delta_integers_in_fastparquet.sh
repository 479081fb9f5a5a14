#!/usr/bin/env bash
# fastparquet 2026.9.0 reads 32-bit integers that are stored as DELTA_BINARY_PACKED and have NULLs among them as other
# numbers, without an error: of 70,000 rows over the whole range, every seventh NULL, most differ from what was written, while
# pyarrow 26.0.1 (which wrote them) and Polars 2.1.0 give each one back.
# Guessed before: that an encoding a reader knows is read, and one that it does not know is refused.
# Files for everybody use dictionaries and plain pages. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastparquet==2026.9.0 pyarrow==26.0.1 polars==2.1.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import random

import fastparquet
import polars
import pyarrow as pa
import pyarrow.parquet as pq

chosen = random.Random(1)
written = [None if n % 7 == 0 else chosen.randrange(-(2**31), 2**31) for n in range(70_000)]
pq.write_table(
    pa.table({"number": pa.array(written, pa.int32())}),
    "numbers.parquet",
    use_dictionary=False,
    compression="zstd",
    row_group_size=30_000,
    column_encoding={"number": "DELTA_BINARY_PACKED"},
)
assert pq.read_table("numbers.parquet")["number"].to_pylist() == written
assert polars.read_parquet("numbers.parquet")["number"].to_list() == written
column = fastparquet.ParquetFile("numbers.parquet").to_pandas()["number"]
read = column.astype(object).where(column.notna(), None).tolist()
wrong = sum(one != other for one, other in zip(read, written, strict=True))
print(f"fastparquet: {wrong:,} of {len(written):,} rows differ, as {column.dtype}")
assert wrong > 30_000
PYTHON
