"""The lines that the careful way passes over unread are exactly such as its regular expression would take."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.readers.csv.quick import doubtful_lines

FIELD = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)'


@given(text=st.text(alphabet='a",\r\n', max_size=40), fields=st.integers(1, 3))
def test_a_line_without_doubt_is_a_record_by_itself(text: str, fields: int) -> None:
    buffer = text.encode()
    record = re.compile(rb"(?!\r?\n)" + FIELD + rb"(?:," + FIELD + rb"){%d}\r?\n" % (fields - 1))
    doubtful = doubtful_lines(buffer, fields=fields)
    starts = [0, *(at + 1 for at, octet in enumerate(buffer) if octet == ord("\n"))]
    ends = dict(pairwise(starts))
    assert doubtful[-1] == starts[-1]
    for start, end in ends.items():
        match = record.match(buffer, start)
        if start not in doubtful:
            assert match is not None
            assert match.end() == end
        elif match is not None:  # a record over several lines: only such may be left to the regular expression
            assert match.end() > end or b"\r" in buffer[start:end]
