"""Files packed as programs pack them."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa


def zstandard(text: bytes) -> bytes:
    """Pack by Zstandard, into one frame."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(text)
    return sink.getvalue().to_pybytes()


PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard}


def pack(path: Path, ending: str) -> Path:
    """Put the packed file in the plain one's place."""
    packed = path.with_name(path.name + ending)
    packed.write_bytes(PACKERS[ending](path.read_bytes()))
    path.unlink()
    return packed


def into_parts(path: Path, parts: Iterable[tuple[str, bytes]]) -> Path:
    """Put a folder of part files in the file's place."""
    path.unlink()
    path.mkdir()
    for name, text in parts:
        (path / name).write_bytes(text)
    return path
