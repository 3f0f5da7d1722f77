import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.torhaus.cast import NOW, run
from tests.torhaus.watch.test_announcer import NEWS
from torhaus.identity.signature import sign
from torhaus.model.notify import Webhook
from torhaus.model.ports import UpstreamError
from torhaus.model.secret import Secret
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.watch.webhook import Headers, WebhookNotifier

SECRET = "whsec-0123456789abcdef"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Post(msgspec.Struct):
    head: dict[str, str]
    body: bytes


class Receiver:
    """A server that answers each POST with the next of its answers. b"": hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.posts: list[Post] = []
        self.port = 0
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.append(asyncio.current_task())
        while self.answers:
            try:
                raw = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            except asyncio.IncompleteReadError:
                break
            head = dict(line.lower().split(": ", 1) for line in raw[1:] if line)
            body = await reader.readexactly(int(head["content-length"]))
            self.posts.append(Post({**head, "line": raw[0]}, body))
            answer = self.answers.pop(0)
            if not answer:
                break
            writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def listening(*answers: bytes) -> AsyncIterator[Receiver]:
    receiver = Receiver(*answers)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        await asyncio.gather(*(each for each in receiver.serving if each is not None))


async def tell(port: int, counts: Counter[str], timeout: float = 5.0) -> None:
    url = f"http://127.0.0.1:{port}/hook?team=a"
    http = PlainHttp(url, connect_timeout=timeout, timeout=timeout, ca_file=None)
    notifier = WebhookNotifier(
        Webhook(url, Secret(SECRET)),
        http.post,
        counts,
        clock=lambda: NOW,
        ids=lambda: "adm_7",
        waits=(0.001, 0.001),
    )
    await notifier.tell(NEWS)
    http.close()


def test_the_receiver_can_check_who_sent_it_and_when() -> None:
    async def story() -> None:
        counts: Counter[str] = Counter()
        async with listening(OK) as receiver:
            await tell(receiver.port, counts)

        (post,) = receiver.posts
        stamp, _, signature = post.head["x-torhaus-signature"].partition(",v1=")
        assert post.head["line"] == "POST /hook?team=a HTTP/1.1"
        assert post.head["content-type"] == "application/json"
        assert stamp == "t=1790000000"
        signed = b"1790000000." + post.body
        assert signature == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert json.loads(post.body) == {
            "id": "adm_7",
            "kind": "approval.requested",
            "text": NEWS.text,
            "at": NOW,
            "to": ["bob@example.org"],
            "facts": {"approval": "a1"},
            "link": NEWS.link,
        }
        assert counts == {"sent": 1}

    run(story())


ERROR = b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 429 Slow down\r\ncontent-length: 0\r\n\r\n"
GONE = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
MOVED = b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n"

ENDS: list[tuple[tuple[bytes, ...], int, dict[str, int]]] = [
    ((ERROR, ERROR, OK), 3, {"sent": 1}),
    ((BUSY, OK), 2, {"sent": 1}),
    ((ERROR, ERROR, ERROR, OK), 3, {"failed": 1}),
    ((GONE, OK), 1, {"failed": 1}),
    ((MOVED, MOVED, MOVED, OK), 3, {"failed": 1}),
]


@pytest.mark.parametrize(("answers", "tries", "counted"), ENDS)
def test_it_is_tried_three_times_unless_the_answer_will_not_change(
    answers: tuple[bytes, ...], tries: int, counted: dict[str, int]
) -> None:
    async def story() -> None:
        counts: Counter[str] = Counter()
        with capture_logs() as logged:
            async with listening(*answers) as receiver:
                await tell(receiver.port, counts)

        assert len(receiver.posts) == tries
        assert len({each.body for each in receiver.posts}) == 1
        assert counts == counted
        assert SECRET not in str(logged)
        assert "t=secret" not in str(logged)

    run(story())


def test_a_receiver_that_hangs_up_or_is_not_there_is_counted() -> None:
    async def story() -> None:
        counts: Counter[str] = Counter()
        with capture_logs():
            async with listening(b"", b"", b"") as receiver:
                await tell(receiver.port, counts)
            await tell(1, counts)

        assert counts == {"failed": 2}

    run(story())


def test_a_receiver_that_says_nothing_is_given_up() -> None:
    async def story() -> None:
        tried: list[Any] = []

        async def silent(url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
            tried.append(url)
            raise UpstreamError("it took too long")

        counts: Counter[str] = Counter()
        hook = Webhook("http://127.0.0.1:1/", Secret(SECRET))
        notifier = WebhookNotifier(
            hook, silent, counts, clock=lambda: NOW, ids=lambda: "1", waits=(0.0, 0.0)
        )
        with capture_logs():
            await notifier.tell(NEWS)

        assert len(tried) == 3
        assert counts == {"failed": 1}

    run(story())


def test_a_signature_is_of_time_and_body() -> None:
    one = sign("secret", "1", b"2.3")

    assert len({one, sign("other", "1", b"2.3"), sign("secret", "2", b"2.3")}) == 3
