"""Which heads of answers are plain, and that remembering them changes nothing."""

import itertools
import random

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.upstream.plainheads import LONGEST, PlainHeads

JSON = "content-type: application/json"


def answer(*lines: str, body: bytes = b"{}", status: str = "200 OK") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, ""))
    return head.encode() + body


PLAIN = [
    answer(JSON, "content-length: 2"),
    answer("content-length: 2", JSON),
    answer(JSON, "content-length: 12", body=b"x" * 12),
    answer(JSON, "content-length: 0002"),
    answer(JSON, "content-length:\t2"),
    answer("Date: Sat, 29 Nov 2025 16:59:07 GMT", JSON, "Content-Length: 2", "Server: n"),
    answer("Date: Sat, 29 Nov 2025 16:59:08 GMT", JSON, "Content-Length: 2", "Server: n"),
    answer(
        "Date: Sat, 29 Nov 2025 16:59:08 GMT", JSON, "Content-Length: 3", "Server: n", body=b"[]\n"
    ),
    answer(JSON + "; charset=utf-8", "content-length: 2", "connection: Keep-Alive"),
    answer("x-a: content-length: 7", JSON, "content-length: 2"),
    answer(JSON, "content-length: 0", body=b""),
    answer(JSON, "content-length: 25", body=b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n  "),
]
OTHER = [
    b"",
    b"?",
    b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n",
    answer(JSON, "content-length: 3"),
    answer(JSON, "content-length: 1"),
    answer(JSON, "content-length: 12"),
    answer(JSON, "content-length: -2"),
    answer(JSON, "content-length: +2"),
    answer(JSON, "content-length: 2 "),
    answer(JSON, "content-length: 2, 2"),
    answer(JSON, "content-length: "),
    answer(JSON, "content-length: 00000002"),
    answer(JSON, "content-length: 2", "content-length: 2"),
    answer(JSON, "content-length: 2", "transfer-encoding: chunked"),
    answer(JSON, "content-length: 2", "connection: close"),
    answer(JSON, "content-length: 2", "keep-alive: timeout=3"),
    answer(JSON, "content-length: 2", "content-encoding: gzip"),
    answer(JSON, "content-length: 2", status="201 Created"),
    answer(JSON, "content-length: 2\r\n a"),
    answer("content-type: text/event-stream", "content-length: 2"),
    answer(JSON),
    answer(JSON, "content-length: 2", f"x-long: {'x' * LONGEST}"),
    answer(JSON, "content-length: 2").replace(b"1.1", b"1.0"),
    answer(JSON, "content-length: 2").replace(b"HTTP", b"http"),
    answer(JSON, "content-length: 2", "x-a: \0"),
    answer(JSON, "content-length: 2", "date: \x0b"),
    answer(JSON, "content-length: 2", "server: \x7f"),
    answer(JSON, "content-length: 2", status="200 O\0K"),
]


@pytest.mark.parametrize("data", PLAIN)
def test_a_plain_answer_begins_behind_its_head(data):
    start = PlainHeads().body(data)

    assert data[:start].endswith(b"\r\n\r\n")
    assert data.index(b"\r\n\r\n") + 4 == start


@pytest.mark.parametrize("data", OTHER)
def test_any_other_is_for_the_parser(data):
    assert PlainHeads().body(data) == 0


def test_what_came_before_changes_nothing():
    alone = {data: PlainHeads().body(data) for data in (*PLAIN, *OTHER)}

    for former in itertools.product(alone, repeat=2):
        for data, found in alone.items():
            heads = PlainHeads()
            for each in former:
                heads.body(each)
            assert heads.body(data) == found


def test_an_answer_in_two_pieces_is_for_the_parser_though_its_head_is_known():
    heads = PlainHeads()
    heads.body(PLAIN[2])

    assert heads.body(PLAIN[2][:-1]) == 0
    assert heads.body(PLAIN[2] + b"x") == 0


LINES = st.sampled_from(
    [
        JSON,
        "Content-Type:application/json; charset=utf-8",
        "content-length: 2",
        "content-length: 3",
        "Content-Length:12",
        "content-length: 02",
        "content-length: 2x",
        "date: now",
        "date: then",
        "x-a: content-length: 2",
        "x-b: 1\r\n content-length: 2",
        "transfer-encoding: chunked",
        "connection: keep-alive",
        "connection: close",
    ]
)
ANSWERS = st.builds(
    lambda lines, body: answer(*lines, body=body),
    st.lists(LINES, max_size=5),
    st.sampled_from([b"", b"{}", b"{}\n", b"[{}, {}, {}]", b"\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"]),
)


@given(st.lists(ANSWERS, min_size=1, max_size=6))
def test_no_row_of_answers_makes_another_one_plain(said):
    heads = PlainHeads()

    for data in said:
        assert heads.body(data) == PlainHeads().body(data)


class Read:
    """What the parser makes of an answer."""

    def __init__(self, data: bytes) -> None:
        self.body = b""
        self.begun = 0
        self.ended: list[tuple[int, bool]] = []
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended.append((self._parser.get_status_code(), self._parser.should_keep_alive()))


STARTS = ("HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "http/1.1 200 OK", "HTTP/1.1 2000 OK")
LINES = (
    "content-length: 7",
    "Content-Length:07",
    JSON,
    "connection: keep-alive",
    "connection: close",
    "transfer-encoding: chunked",
    "x-a:",
    "x-a: b\ncontent-length: 3",
    "x-a: \0",
    "x-a: \x7f",
    "x-a: \u00e9",
    "x-: 1",
    "x-a : b",
    "date:\x0bx",
    "mcp-session-id: s",
    "\tfold",
)
SCRAPS = (b"\r\n", b"\n", b"\0", b" ", b":", b"\r", b"0", b"\r\ncontent-length: 3")


def test_what_is_taken_as_plain_the_parser_reads_so():
    rng, taken = random.Random(3), 0
    for number in range(20_000):
        lines = [*rng.sample(LINES[:3], 2), *rng.choices(LINES, k=rng.randrange(3))]
        rng.shuffle(lines)
        text = "\r\n".join((STARTS[max(0, rng.randrange(-9, 5))], *lines, "", "7 bytes"))
        data = text.encode("latin-1")
        if number % 4 == 0:
            at = rng.randrange(len(data))
            data = data[:at] + rng.choice(SCRAPS) + data[at + rng.randrange(3) :]
        start = PlainHeads().body(data)
        if start:
            taken += 1
            read = Read(data)
            assert (read.begun, read.ended, read.body) == (1, [(200, True)], data[start:]), data

    assert 1000 < taken < 20_000
