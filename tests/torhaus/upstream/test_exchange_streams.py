"""Event streams as they come: in pieces, endless, broken, too large, too fast."""

import asyncio
import contextlib
import json

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    event,
    head,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.webs import linked, told
from torhaus.model.ports import UpstreamError
from torhaus.upstream import exchange

SSE = "content-type: text/event-stream"
BOM = b"\xef\xbb\xbf"


def stream(*events, last=LAST):
    return STREAM + b"".join(chunk(each) for each in events) + last


# Event streams


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_event_stream_may_come_in_any_pieces(size, loop):
    text = (
        b": hello\n\n"
        + event(note("notifications/progress", n="\u00e9"), "event: message", "id: e1")
        + event(result(1), "id: e2").replace(b"\n", b"\r\n")
    )

    async def script(wire):
        await wire.request()
        await wire.dribble(
            STREAM + b"".join(chunk(text[n : n + 5]) for n in range(0, len(text), 5)) + LAST, size
        )

    reply, memo = told(script, loop=loop)

    assert memo.methods() == ["notifications/progress"]
    assert (memo.notices[0].event_id, reply.event_id, reply.last_event) == ("e1", "e2", "e2")


def test_everything_before_the_answer_reaches_the_sink_in_order():
    asked = b'{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}'
    other = result(99)
    priming = b"id: e0\nretry: 500\ndata:\n\n"
    reply, memo = told(
        stream(priming, event(note("a")), event(asked), event(other), event(result(1)))
    )

    assert [(n.method, n.id) for n in memo.notices] == [
        ("a", None),
        ("elicitation/create", b'"q"'),
    ]  # what answers another request goes to nobody
    assert [(each.event_id, each.retry) for each in memo.primed] == [("e0", 500)]
    assert memo.bodies.__self__ is memo
    assert reply.answer is not None


@pytest.mark.parametrize(
    "odd",
    [
        event(b"{}", "event: ping"),
        event(result(1, "not this one"), "event: heartbeat"),
        event(b"{}"),
        event(b"not json"),
        event(b"[1]"),
        event(b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'),
        event(b'{"jsonrpc":"2.0","id":2}'),
        b"data: {\n\n",
        b"nonsense\n\n",
        b"event: end\n\n",
        BOM,
    ],
)
def test_what_is_no_message_disturbs_nobody(odd):
    reply, memo = told(stream(odd, event(result(1))))

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}
    assert memo.notices == []


@pytest.mark.parametrize("odd", [b"1e999", b"9" * 9000, b"[" * 500 + b"]" * 500])
def test_the_answer_to_a_number_nobody_has_is_not_the_one(odd):
    other = b'{"jsonrpc":"2.0","id":%b,"result":{}}' % odd

    reply, _ = told(stream(event(other), event(result(1))))

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}


def test_pretty_printed_json_may_be_spread_over_data_lines():
    lines = json.dumps(json.loads(result(1)), indent=2).split("\n")
    spread = "".join(f"data: {line}\n" for line in lines).encode() + b"\n"

    reply, _ = told(stream(spread))

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}


def test_json_labelled_as_a_stream_is_json():
    for body in (result(1), b"\n " + BOM[:0] + result(1), BOM + result(1)):
        reply, memo = told(whole(body, "200 OK", SSE))

        assert json.loads(bytes(reply.answer.result)) == {"ok": True}
        assert memo.notices == []


def test_json_labelled_as_a_stream_may_come_in_pieces():
    async def script(wire):
        await wire.request()
        await wire.dribble(whole(b"\n  " + result(1), "200 OK", SSE))

    reply, _ = told(script)

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}


@pytest.mark.parametrize("start", [b"", b": hi\n\n", b"retry: 5\n\n", b"id: a\n", b"\n"])
def test_a_stream_labelled_as_json_is_a_stream(start):
    reply, memo = told(whole(start + event(note("a")) + event(result(1)).rstrip()))

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}
    assert "a" in memo.methods()


@pytest.mark.parametrize("label", ["TEXT/EVENT-STREAM", "text/event-stream; charset=utf-8"])
def test_the_label_of_a_stream_may_be_written_otherwise(label):
    reply, _ = told(whole(event(result(1)), "200 OK", f"Content-Type: {label}"))

    assert reply.answer is not None


def test_a_stream_may_be_longer_than_any_buffer():
    count, filler = 300, "x" * 20_000

    async def script(wire):
        await wire.request()
        wire.say(STREAM)
        for n in range(count):
            wire.say(chunk(event(note("n", n=n, filler=filler))))
            await wire.writer.drain()
        wire.say(chunk(event(result(1))), LAST)

    reply, memo = told(script)

    assert [body["params"]["n"] for body in memo.bodies()] == list(range(count))
    assert reply.answer is not None


# How streams end


def test_a_stream_that_ends_without_the_answer_says_where_it_was():
    reply, _ = told(stream(event(note("a"), "id: e7")))

    assert (reply.answer, reply.last_event) == (None, "e7")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_resumable_stream_may_also_break(how):
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(event(note("a"), "id: e7")))
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        getattr(wire, how)()

    reply, _ = told(script)

    assert (reply.answer, reply.last_event) == (None, "e7")


def test_a_stream_without_event_ids_that_breaks_is_an_error():
    with pytest.raises(UpstreamError, match="it closed the connection"):
        told(stream(event(note("a")), last=b""))


def test_a_stream_that_ends_with_its_connection_is_whole():
    raw = head("200 OK", SSE, "connection: close") + event(note("a")) + event(result(1))
    reply, memo = told(raw)

    assert reply.answer is not None
    assert memo.methods() == ["a"]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_whose_stream_ends_after_the_answer_is_used_again(loop):
    async def script(wire):
        while True:
            await wire.request()
            wire.say(STREAM, chunk(event(result(1))))
            await asyncio.sleep(0.01)
            wire.say(chunk(b": bye\n\n"), LAST)

    async def story():
        async with linked(script) as (server, link):
            data = link.requests.legacy(b"{}", None, None)
            await link.send(data, b"1", Memo(), 5.0)
            await until(lambda: link._carrier._pool._idle)
            await link.send(data, b"1", Memo(), 5.0)

            assert len(server.wires) == 1

    run(story(), loop)


@pytest.mark.parametrize("patience", [60.0, None], ids=["with patience", "for ever"])
def test_a_stream_that_never_ends_after_the_answer_costs_no_connection_for_ever(patience):
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(event(result(1))))
        with contextlib.suppress(ConnectionError):
            while not wire.reader.at_eof():
                wire.say(chunk(b": still here\n\n"))
                await asyncio.sleep(0.05)

    async def story():
        async with linked(script) as (_, link):
            data = link.requests.legacy(b"{}", None, None)
            pool = link._carrier._streams if patience is None else link._carrier._pool
            await link.send(data, b"1", Memo(), patience)
            assert pool._all

            await until(lambda: not pool._all, exchange.LINGER + 2)

    run(story())


# Limits


def test_an_answer_may_not_be_larger_than_the_limit(tmp_path):
    size = exchange.MAX_BODY + 1

    async def script(wire):
        await wire.request()
        wire.say(head("200 OK", f"content-length: {size + 10}"))
        piece = bytes(1 << 20)
        for _ in range(size // len(piece) + 1):
            wire.say(piece)
            await wire.writer.drain()

    with pytest.raises(UpstreamError, match="its answer is larger than 32 MiB"):
        told(script, patience=20.0)


def test_an_event_may_not_be_larger_than_the_limit():
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(b"data: "))
        piece = chunk(b"x" * (1 << 20))
        for _ in range(40):
            wire.say(piece)
            await wire.writer.drain()

    with pytest.raises(UpstreamError, match="an event is larger than 32 MiB"):
        told(script, patience=20.0)


@pytest.mark.parametrize("coding", ["gzip", "br", "Identity, gzip"])
def test_a_compressed_answer_is_refused_in_words(coding):
    with pytest.raises(UpstreamError, match="compressed answer although we did not accept one"):
        told(whole(b"\x1f\x8b", "200 OK", f"content-encoding: {coding}"))


def test_an_identity_coding_is_none():
    reply, _ = told(whole(result(1), "200 OK", "content-encoding: Identity"))

    assert reply.answer is not None


# Slow readers


@pytest.mark.parametrize("loop", LOOPS)
def test_a_full_reader_stops_the_server_until_it_can_read_again(loop):
    sent = 0

    async def script(wire):
        nonlocal sent
        await wire.request()
        wire.say(STREAM)
        for n in range(400):
            wire.say(chunk(event(note("n", n=n, filler="x" * 50_000))))
            sent += 1
            await wire.writer.drain()
        wire.say(chunk(event(result(1))), LAST)

    class Full(Memo):
        def notice(self, notice):
            super().notice(notice)
            if len(self.notices) == 10:
                self.throttle(True)

    async def story():
        async with linked(script) as (_, link):
            memo = Full()
            data = link.requests.legacy(b"{}", None, None)
            call = asyncio.create_task(link.send(data, b"1", memo, 1.0))
            await until(lambda: memo.throttle is not None and len(memo.notices) >= 10)
            await asyncio.sleep(1.7)  # longer than it may be silent
            held = len(memo.notices)
            assert held < 60
            assert sent < 390
            assert not call.done()
            memo.throttle(False)

            assert (await call).answer is not None
            assert len(memo.notices) == 400

    run(story(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_is_never_kept_while_it_is_held(loop):
    """A reader that is full at the very end must not make the next caller wait for ever."""

    async def script(wire):
        while True:
            await wire.request()
            wire.say(stream(event(note("n")), event(result(1))))

    class Full(Memo):
        def notice(self, notice):
            super().notice(notice)
            self.throttle(True)

    async def story():
        async with linked(script) as (server, link):
            data = link.requests.legacy(b"{}", None, None)
            for _ in range(3):
                memo = Full()
                assert (await link.send(data, b"1", memo, 1.0)).answer is not None
                if memo.throttle is not None:
                    memo.throttle(True)
                    memo.throttle(False)

            assert len(server.wires) == 1

    run(story(), loop)
