import pytest

from tests.torhaus.edge.fakes import paper
from torhaus.edge.exchange import REASONS
from torhaus.mcp.message import result_text


def test_an_answer_in_json_is_one_write() -> None:
    exchange, wire = paper()

    exchange.json(200, b"{}")

    assert wire.sent == [
        b"HTTP/1.1 200 OK\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
        b"date: today\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    ]
    assert wire.ended == 1


@pytest.mark.parametrize("id", [b"1", b'"an-id"', b'"\\u00e4%d"'])
@pytest.mark.parametrize("result", [b"{}", b'{"text":"100 %b"}', b'{"text":"\xc3\xa4"}' * 999])
@pytest.mark.parametrize("how", ["plain", "closing", "cors", "done"])
def test_a_result_is_written_like_any_other_answer(id: bytes, result: bytes, how: str) -> None:
    (one, written), (two, like) = paper(), paper()
    for each in (one, two):
        each.closing, each.done = how == "closing", how == "done"
        each.cors = b"vary: origin\r\n" if how == "cors" else b""

    one.result(id, result)
    two.json(200, result_text(id, result))

    assert written.text == like.text
    assert (written.ended, one.done) == (like.ended, two.done)


@pytest.mark.parametrize("status", REASONS)
def test_every_status_has_its_line(status: int) -> None:
    exchange, wire = paper()

    exchange.answer(status, b"")

    assert wire.text.startswith(b"HTTP/1.1 %d %b\r\n" % (status, REASONS[status]))
    assert b"content-length: 0\r\n" in wire.text
    assert b"content-type" not in wire.text.replace(b"x-content-type", b"")


def test_headers_are_part_of_an_answer() -> None:
    exchange, wire = paper()

    exchange.answer(405, b"{}", (b"allow", b"POST"), (b"x", b"y"))

    assert b"\r\nallow: POST\r\nx: y\r\n" in wire.text


def test_no_value_of_a_header_begins_another() -> None:
    exchange, wire = paper()

    exchange.answer(401, b"", (b"www-authenticate", b"Bearer x\r\nset-cookie: a=b\r\n\r\n\0"))

    assert b"\r\nwww-authenticate: Bearer x  set-cookie: a=b     \r\n" in wire.text
    assert wire.text.count(b"\r\n\r\n") == 1


def test_the_last_answer_of_a_connection_says_so() -> None:
    for last in ("json", "answer"):
        exchange, wire = paper()
        exchange.closing = True

        getattr(exchange, last)(200, b"{}")

        assert b"\r\nconnection: close\r\n" in wire.text


def test_a_head_request_gets_the_length_and_not_the_body() -> None:
    exchange, wire = paper("HEAD")

    exchange.answer(401, b"secretive")

    assert b"content-length: 9\r\n" in wire.text
    assert wire.text.endswith(b"\r\n\r\n")


def test_it_is_answered_once() -> None:
    exchange, wire = paper()
    exchange.json(200, b"{}")
    sent = list(wire.sent)

    exchange.json(200, b"{}")
    exchange.answer(200, b"{}")
    exchange.event(b"{}")
    exchange.opened()
    exchange.beat()
    exchange.end()

    assert wire.sent == sent
    assert wire.ended == 1


def test_events_travel_in_chunks_behind_one_head() -> None:
    exchange, wire = paper()

    exchange.event(b"{}")
    exchange.event(b"", "id-1", 500)
    exchange.beat()
    exchange.end()

    head, *rest = wire.sent
    assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
    assert b"transfer-encoding: chunked\r\n" in head
    assert b"x-accel-buffering: no\r\n" in head
    assert rest == [
        b"19\r\nevent: message\ndata: {}\n\n\r\n",
        b"1c\r\nid: id-1\nretry: 500\ndata: \n\n\r\n",
        b"3\r\n:\n\n\r\n",
        b"0\r\n\r\n",
    ]


def test_http_1_0_gets_its_events_without_chunks() -> None:
    exchange, wire = paper()
    exchange.chunked, exchange.closing = False, True

    exchange.event(b"{}")
    exchange.end()

    head, *rest = wire.sent
    assert b"transfer-encoding" not in head
    assert b"connection: close\r\n" in head
    assert rest == [b"event: message\ndata: {}\n\n"]


def test_a_stream_that_is_opened_says_so_at_once() -> None:
    exchange, wire = paper()

    exchange.opened()
    exchange.opened()

    assert wire.sent[1:] == [b"3\r\n:\n\n\r\n"]


def test_what_never_streamed_ends_as_an_empty_stream() -> None:
    exchange, wire = paper()

    exchange.end()

    assert wire.sent[1:] == [b"3\r\n:\n\n\r\n", b"0\r\n\r\n"]
    assert wire.ended == 1


def test_who_takes_no_stream_gets_no_events() -> None:
    exchange, wire = paper()
    exchange.takes_stream = False

    exchange.event(b"{}")
    exchange.json(200, b"{}")

    assert len(wire.sent) == 1


def test_a_sign_of_life_needs_a_stream() -> None:
    exchange, wire = paper()

    exchange.beat()

    assert wire.sent == []


def test_a_reader_that_cannot_keep_up_throttles_the_writer() -> None:
    exchange, wire = paper()
    told: list[bool] = []
    exchange.throttle = told.append

    exchange.event(b"{}")
    wire.stuck = True
    exchange.event(b"{}")
    wire.stuck = False
    exchange.writable()

    assert told == [True, False]


def test_a_client_that_hangs_up_is_told_once_and_gets_no_more() -> None:
    exchange, wire = paper()
    told: list[str] = []
    exchange.throttle = lambda full: told.append(f"full {full}")
    exchange.on_gone = lambda: told.append("gone")

    exchange.lost()
    exchange.event(b"{}")
    exchange.json(200, b"{}")

    assert exchange.gone
    assert told == ["full False", "gone"]
    assert wire.sent == []
    exchange.cancel()


def test_who_takes_no_stream_gets_none_opened() -> None:
    exchange, wire = paper()
    exchange.takes_stream = False

    exchange.opened()

    assert wire.sent == []


def test_a_tied_call_ends_when_its_client_hangs_up() -> None:
    (loose, _), (tied, _), (late, _) = paper(), paper(), paper()
    ended: list[str] = []
    for name, each in (("loose", loose), ("tied", tied), ("late", late)):
        each.cancel = lambda name=name: ended.append(name)

    loose.lost()
    tied.tie()
    tied.lost()
    late.lost()
    late.tie()

    assert ended == ["tied", "late"]
