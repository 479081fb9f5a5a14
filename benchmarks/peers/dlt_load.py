"""dlt with its PostgreSQL destination: Arrow tables in, COPY of CSV out, into tables of its own.

Written well: pyarrow reads, ``replace`` writes straight into the tables, CSV is the quickest of its loader formats for
PostgreSQL. dlt makes the tables itself and knows no constraint on values and no foreign key; repeated points stay.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow as pa
from pyarrow import csv

from olist.sample.layout import TABLES, CellKind

SCHEMA = "olist_by_dlt"
TYPES: dict[CellKind, pa.DataType] = {
    CellKind.INTEGER: pa.int64(),
    CellKind.MONEY: pa.decimal128(10, 2),
    CellKind.LATITUDE: pa.float64(),
    CellKind.LONGITUDE: pa.float64(),
    CellKind.MOMENT: pa.timestamp("us"),
}


@dlt.source
def files(folder: Path) -> Iterator[object]:
    """Yield one resource a file."""
    for table in TABLES:
        types = {column.name: TYPES.get(column.kind, pa.string()) for column in table.columns}
        yield dlt.resource(_batches(folder / table.file_name, types), name=table.name, write_disposition="replace")


def load(folder: str, url: str) -> None:
    """Load every file of ``folder`` into the schema ``SCHEMA``."""
    with tempfile.TemporaryDirectory() as work:
        # dlt insists on a host and a password: the socket, later in the URL, counts instead, and asks for none.
        credentials = url.replace("postgres://", "postgresql://").replace("@/", ":none@localhost/")
        destination = dlt.destinations.postgres(credentials)
        pipeline = dlt.pipeline("bench", pipelines_dir=work, destination=destination, dataset_name=SCHEMA)
        pipeline.run(files(Path(folder)), loader_file_format="csv").raise_on_failed_jobs()


def _batches(path: Path, types: dict[str, pa.DataType]) -> Iterator[pa.Table]:
    yield csv.read_csv(
        path,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
    )
