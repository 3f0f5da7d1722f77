"""Pages and the API under what strangers send them: large, slow, and much of it."""

import os
import socket
import time
from pathlib import Path

import pytest

from tests.stories.caller import Line
from tests.stories.town import KEYS, Town

PATHS = ("/login", "/token", "/register", "/revoke", "/preferences", "/callback/x", "/api/v1/me")
LARGE = 8 * 1024 * 1024


def posted(town: Town, path: str, head: str) -> str:
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\n{head}\r\n"


@pytest.mark.parametrize("path", PATHS)
def test_no_page_keeps_more_of_a_body_than_it_may(path: str, town: Town) -> None:
    form = "content-type: application/x-www-form-urlencoded\r\n"
    key = f"apikey: {KEYS['ALICE_KEY']}\r\n" if path.startswith("/api") else ""
    with Line(town.port) as line:  # what the first request of all loads is not meant
        line.send(posted(town, path, f"{form}{key}content-length: 0\r\nconnection: close\r\n"))
        line.answer()
    before = resident(town)
    with Line(town.port) as line:
        line.send(posted(town, path, f"{form}{key}content-length: {LARGE}\r\n"))
        try:
            for _ in range(LARGE // 65536):
                line.send(b"x" * 65536)
            answer = line.answer()
        except OSError:
            answer = None  # it was closed before all had come
    if answer is not None:
        assert answer.status in (303, 400, 401, 403, 405, 413)
    assert resident(town) - before < LARGE // 2
    assert town.alive()


def resident(town: Town) -> int:
    """Bytes of memory that the gateway has."""
    pages = int(Path(f"/proc/{town.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("path", ["/login", "/api/v1/me", "/health"])
def test_a_flood_of_headers_is_refused_by_pages_too(path: str, town: Town) -> None:
    flood = "".join(f"x-{n}: y\r\n" for n in range(300))
    with Line(town.port) as line:
        line.send(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\n{flood}\r\n")

        assert line.answer().status == 431
    assert town.alive()


SMUGGLING = (
    "content-length: 4\r\ntransfer-encoding: chunked\r\n",
    "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
    "content-length: 4\r\ncontent-length: 5\r\n",
    "content-length: -1\r\n",
    "content-length: 4, 4\r\n",
    "content-length: 0x4\r\n",
    "transfer-encoding: gzip\r\n",
    "transfer-encoding: chunked, gzip\r\n",
    "content-length : 4\r\n",
    "content-length: 4\nx: y\r\n",
    "content-length: 4\r\nx: a\r\n b\r\n",
    "content-length: 4\r\nx: \0\r\n",
)


@pytest.mark.parametrize("head", SMUGGLING)
def test_what_two_readers_could_read_differently_is_refused_by_pages_too(
    head: str, town: Town
) -> None:
    with Line(town.port) as line:
        behind = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\n\r\n"
        line.send(posted(town, "/login", head) + "0\r\n\r\n" + behind)

        assert line.answer().status == 400
        assert line.ended()


def test_hundreds_of_slow_requests_keep_nobody_waiting(town: Town) -> None:
    heads = (b"POST /mcp/scripted HTTP/1.1\r\nhost: 127.0", b"POST /login HTTP/1.1\r\nhost: ")
    slow = [socket.create_connection(("127.0.0.1", town.port)) for _ in range(300)]
    try:
        for number, each in enumerate(slow):
            each.sendall(heads[number % 2])
        times = []
        with town.caller() as caller:
            for _ in range(100):
                began = time.perf_counter()
                assert caller.tool("get_note").status == 200
                times.append(time.perf_counter() - began)
    finally:
        for each in slow:
            each.close()

    # The slow ones have ten seconds and more; other tests run beside this one, 0.2 s is the aim.
    assert sorted(times)[97] < 5
