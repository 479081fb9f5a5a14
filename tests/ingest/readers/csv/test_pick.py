import io

import pyarrow as pa

from ingest.readers.csv.file import CsvFile
from ingest.readers.csv.pick import pick
from tests.support.readers.reading import everything


def picked(positions: list[int]) -> list[tuple[int, int, bytes]]:
    text = io.BytesIO(b'a,b\n1,x\n2\n3,"y\nz"\n4,w\n5,v\n')
    file = CsvFile(text, path="file.csv", expected=["a", "b"], chunk_bytes=8)
    parts = pick(file, pa.array(positions, pa.int64()))
    return [(seen.position, seen.line, seen.raw) for records in parts for seen in everything(records)]


def test_only_the_wanted_readable_records_come_with_their_places() -> None:
    assert picked([4, 2, 3]) == [(3, 4, b'3,"y\nz"'), (4, 6, b"4,w")]


def test_positions_that_the_file_does_not_have_are_left_out() -> None:
    assert picked([1, 99]) == [(1, 2, b"1,x")]
    assert picked([]) == []
