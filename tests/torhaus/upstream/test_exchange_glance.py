"""Answers that are known at a glance: they are what reading them would have made of them."""

import asyncio
import random
from typing import cast

import msgspec
import pytest

from tests.torhaus.upstream import pipes
from tests.torhaus.upstream.servers.http_server import saying, whole
from tests.torhaus.upstream.webs import linked
from torhaus.audit.items import count
from torhaus.model.outcome import Answer, Counted
from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import McpExchange
from torhaus.upstream.http import Connection
from torhaus.upstream.whose import at_server, is_answer

NAMES = ("content", "isError", "tools", "structuredContent", "text", "a", "\u00e9")
TEXTS = ("", "text", "[1,2]", '{"a":[]}', "}}", "\u00e9", "\u2028", '"\\')
TEXT = b'{"content":[{"type":"text","text":"a"}]}'


def framed(result: bytes, request_id: bytes = b"1") -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (request_id, result)


GLANCED = [
    (TEXT, False, 1),
    (b'{"content":[{"type":"text","text":"[1,2,3]"}]}', False, 3),
    (b'{"content":[],"isError":true}', True, None),
    (b'{"content":[{"type":"text","text":"\xc3\xa9"}]}', False, 1),
    (b"{}", False, None),
    (b'{ "content" : [ ] }', False, 0),
    (b'{"content":[],"content":[1],"isError":false}', False, 1),
    (b'{"a":"\\u0022}}"}', False, None),
    (b'{"structuredContent":{"a":[1,2]}}', False, 2),
]
READ = [
    framed(TEXT, b'"1"'),
    framed(TEXT, b"1.0"),
    framed(TEXT, b"2"),
    framed(TEXT, b"1e999"),
    framed(TEXT, b"9" * 9000),
    framed(TEXT, b"[" * 980 + b"]" * 980),
    b"data: " + framed(TEXT, b"1e999"),
    b"data: " + framed(TEXT, b"9" * 9000),
    framed(TEXT) + b"\n",
    framed(TEXT)[:-1],
    framed(TEXT + b',"result":{}'),
    framed(TEXT + b',"error":{"code":1,"message":"m"}'),
    framed(TEXT + b',"id":2'),
    framed(TEXT + b',"method":"ping"'),
    framed(b"7"),
    framed(b"[]"),
    framed(b"null"),
    framed(b'{"content":[}'),
    framed(b'{"content":"\xff"}'),
    framed(b"{}}"),
    framed(b"{}}{}"),
    framed(b"{}") + framed(b"{}"),
    framed(b'{"a":"\\ud800","isError":"\\ud800"}'),
    framed(b'{"a":01}'),
    framed(b'{"a":"\n"}'),
    framed(b"{" * 100_000 + b"}" * 100_000),
    framed(b" {}"),
    framed(b"{} "),
    b" " + framed(TEXT),
    b"\xef\xbb\xbf" + framed(TEXT),
    b'{"result":%b,"jsonrpc":"2.0","id":1}' % TEXT,
    b'{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool"}}',
    b'{"jsonrpc":"2.0","id":1,"result":}',
]


def asked(body: bytes, *, piecemeal: bool = False) -> Answer | str:
    """What comes of a tool call that is answered so, in one packet or in several."""
    kept: list[Answer | str] = []

    async def dribbling(wire):
        await wire.request()
        await wire.dribble(whole(body), 40)
        wire.close()

    async def story() -> None:
        async with linked(dribbling if piecemeal else saying(whole(body))) as (_, link):
            front = pipes.session()
            one = at_server(b"1", front)  # what reaches the server as 1
            ask = pipes.ask("tools/call", {"name": "a"}, session=front, id=one)
            try:
                kept.append(await link.request(ask, pipes.Memo()))
            except UpstreamError as error:
                kept.append(str(error))

    pipes.run(story(), "uvloop")
    return kept[0]


@pytest.mark.parametrize(("result", "is_error", "items"), GLANCED)
def test_what_is_seen_in_passing_is_told(result, is_error, items):
    answer = asked(framed(result))

    assert isinstance(answer, Answer)
    assert answer.counted == Counted(result, is_error, items)
    assert answer.counted.of is answer.result


@pytest.mark.parametrize("body", [*(framed(result) for result, *_ in GLANCED), *READ])
def test_a_glance_and_reading_agree(body):
    glanced, read = asked(body), asked(body, piecemeal=True)

    if isinstance(glanced, Answer):
        glanced = msgspec.structs.replace(glanced, counted=None)
    assert glanced == read


@pytest.mark.parametrize("body", READ)
def test_whatever_is_written_otherwise_is_read(body):
    answer = asked(body)

    assert isinstance(answer, str) or answer.counted is None


SCRAPS = (b"", b" ", b"}", b"{", b"}}", b'"', b"\\", b",", b":", b"\n", b"\xff", b'"id":2,', b"]")


def anything(rng: random.Random, depth: int = 0) -> object:
    """What a server might say, of few words, so that some of it means something here."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 7:
        return {rng.choice(NAMES): anything(rng, depth + 1) for _ in range(rng.randrange(4))}
    if kind == 6:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return (None, True, False, rng.randrange(-9, 10**12), rng.random(), rng.choice(TEXTS))[kind]


def spoilt(rng: random.Random, body: bytes) -> bytes:
    """Something is cut out, and something put in its place."""
    at, cut = rng.randrange(len(body)), rng.randrange(9)
    return body[:at] + rng.choice(SCRAPS) + body[at + cut :]


def test_what_is_taken_at_a_glance_would_be_read_so():
    rng, taken = random.Random(7), 0
    for number in range(4000):
        result = {rng.choice(NAMES): anything(rng) for _ in range(rng.randrange(5))}
        body = framed(msgspec.json.encode(result))
        for _ in range(number % 4):
            body = spoilt(rng, body)
        ready = glanced_and_read(body)
        taken += ready
        assert ready or number % 4, body

    assert 1000 < taken < 4000


def glanced_and_read(body: bytes) -> bool:
    """Whether it is taken at a glance; then reading it comes to the same."""
    loop = asyncio.new_event_loop()
    try:
        ready = exchange(loop)._at_a_glance(b"head" + body, 4)
        if ready is None:
            return False  # then it is read
        slow = exchange(loop)
        slow.head(200, {b"content-type": b"application/json"})
        slow.data(body)
        slow.end()
        answer = slow.done.result().answer
    finally:
        loop.close()

    assert answer is not None
    assert is_answer(answer, b"1")
    assert answer.error is None
    assert bytes(answer.result) == ready.result
    assert ready.counted == Counted(ready.result, *count(ready.result))
    return True


def exchange(loop: asyncio.AbstractEventLoop) -> McpExchange:
    """One without a connection, which no whole answer asks for."""
    return McpExchange(loop, cast(Connection, None), b"1", None)
