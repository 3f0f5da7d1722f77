"""Lines out of chunks, however they are cut."""

import time

from hypothesis import given
from hypothesis import strategies as st

from torhaus.upstream.lines import KEPT, Lines, TooLong


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b), max_size=20), st.data())
def test_lines_do_not_depend_on_how_the_stream_is_cut(lines, data):
    stream = b"".join(line + b"\n" for line in lines)
    cutter, found = Lines(1000), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += cutter.feed(stream[:size])
        stream = stream[size:]

    assert found == lines


def test_an_unfinished_line_is_kept():
    lines = Lines(1000)

    assert lines.feed(b"a\nb") == [b"a"]
    assert lines.feed(b"c\n") == [b"bc"]


def test_a_line_of_exactly_the_limit_is_a_line():
    assert Lines(5).feed(b"12345\n") == [b"12345"]


def test_of_a_line_above_the_limit_only_the_ends_are_kept():
    lines = Lines(2000)
    text = b"<" + b"x" * 5000 + b">"
    found = lines.feed(text[:1000]) + lines.feed(text[1000:]) + lines.feed(b"end\nnext\n")

    assert found == [TooLong(text[:KEPT], (text + b"end")[-KEPT:]), b"next"]


def test_a_long_line_in_small_pieces_takes_linear_time():
    def seconds(pieces):
        lines, began = Lines(1 << 30), time.process_time()
        for _ in range(pieces):
            lines.feed(b"x" * 256)
        lines.feed(b"\n")
        return time.process_time() - began

    seconds(1000)
    assert seconds(80_000) < 60 * max(seconds(8_000), 0.001)
