#!/usr/bin/env bash
# PyArrow 26.0.1 writes zstd streams without the checksum that the format has room for, and that the `zstd` program writes
# by default: in a packed CSV, one octet that was changed in the middle of the file comes back as other text, of the same
# length and without an error. The same change in a stream with a checksum (made here by the `zstandard` package, which
# can be told) is refused. Guessed before: that a damaged .zst is always noticed, as a damaged .gz is.
# Keep a hash of your own beside such files. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 zstandard==0.25.0
"$folder/venv/bin/python" - <<'PYTHON'
import hashlib

import pyarrow as pa
import zstandard

text = b"".join(b"%s,%d\n" % (hashlib.sha256(b"%d" % row).hexdigest().encode(), row) for row in range(10_000))
sink = pa.BufferOutputStream()
with pa.CompressedOutputStream(sink, "zstd") as stream:
    stream.write(text)
plain = sink.getvalue().to_pybytes()
checked = zstandard.ZstdCompressor(write_checksum=True).compress(text)


def changed(packed: bytes) -> str:
    """Change one octet at some places in the middle; say what reading such files came to."""
    outcomes = set()
    for place in range(len(packed) // 4, len(packed) * 3 // 4, 997):
        damaged = bytearray(packed)
        damaged[place] ^= 1
        try:
            with pa.CompressedInputStream(pa.BufferReader(bytes(damaged)), "zstd") as stream:
                read = stream.read()
        except OSError:
            outcomes.add("refused")
            continue
        outcomes.add("as it was" if read == text else "other text" if len(read) == len(text) else "other length")
    return ", ".join(sorted(outcomes))


streams = {"pyarrow": plain, "checked": checked}
has = {name: zstandard.get_frame_parameters(packed).has_checksum for name, packed in streams.items()}
print("has a checksum:", has)
print("pyarrow's, one octet changed:", changed(plain))
print("with a checksum, one octet changed:", changed(checked))
assert has == {"pyarrow": False, "checked": True}
assert "other text" in changed(plain)
assert changed(checked) == "refused"
PYTHON
