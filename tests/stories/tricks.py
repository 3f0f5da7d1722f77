"""What servers do that they should not: the tools of the scripted upstream."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

from tests.stories.upstream import JSON, OK, SSE, Talk

CHUNKED = "transfer-encoding: chunked\r\n"
GATEWAY = "HTTP/1.1 502 Bad Gateway\r\n"
HTML = "content-type: text/html\r\n"


def raw(text: str) -> Callable[[Talk], None]:
    """Send just this and hang up."""

    def trick(talk: Talk) -> None:
        talk.send(text)
        talk.close()

    return trick


def status(
    line: str, body: str = "no", head: str = "content-type: text/plain\r\n"
) -> Callable[[Talk], None]:
    return lambda talk: talk.answer(body, status=f"HTTP/1.1 {line}\r\n", head=head)


def wrong_id(talk: Talk) -> None:
    talk.id = "somebody-elses"
    talk.answer(talk.said("for somebody else"))


def both(talk: Talk) -> None:
    error = {"code": 1, "message": "both"}
    talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "result": {}, "error": error}))


def not_utf8(talk: Talk) -> None:
    talk.answer(talk.said("X").encode().replace(b"X", b"\xff"))


def not_utf8_event(talk: Talk) -> None:
    talk.stream()
    talk.send(b"data: " + talk.note("X").encode().replace(b"X", b"\xff") + b"\n\n")
    talk.event(talk.said("behind the garbage"))
    talk.close()


def truncated(talk: Talk) -> None:
    talk.send(f"{OK}{JSON}content-length: 1000\r\n\r\n{talk.said('cut')}")
    talk.close()


def gzipped(talk: Talk) -> None:
    talk.answer(b"\x1f\x8b\x08\x00", head=f"{JSON}content-encoding: gzip\r\n")


def endless_headers(talk: Talk) -> None:
    with suppress(OSError):
        talk.send(OK)
        for number in range(100_000):
            talk.send(f"x-{number}: {'y' * 500}\r\n")
    talk.server.marks.append("endless headers ended")


def endless_header(talk: Talk) -> None:
    with suppress(OSError):
        talk.send(f"{OK}x-long: ")
        for _ in range(5_000):
            talk.send("y" * 100_000)
    talk.server.marks.append("endless header ended")


def endless_trailer(talk: Talk) -> None:
    with suppress(OSError):
        talk.send(f"{OK}{JSON}{CHUNKED}\r\n1\r\n{{\r\n0\r\nx-long: ")
        for _ in range(5_000):
            talk.send("y" * 100_000)
    talk.server.marks.append("endless trailer ended")


def endless_body(talk: Talk) -> None:
    with suppress(OSError):
        talk.send(f"{OK}{JSON}{CHUNKED}\r\n")
        for _ in range(5_000):
            talk.send(f"186a0\r\n{'y' * 100_000}\r\n")
    talk.server.marks.append("endless body ended")


def endless_event(talk: Talk) -> None:
    with suppress(OSError):
        talk.stream()
        talk.send("data: ")
        for _ in range(5_000):
            talk.send("y" * 100_000)
    talk.server.marks.append("endless event ended")


def cut_stream(talk: Talk) -> None:
    talk.stream()
    talk.event(talk.note("about to break"))
    talk.send('data: {"jsonrpc":')
    talk.close()


def garbage_events(talk: Talk) -> None:
    talk.stream()
    for garbage in (
        "not json",
        "{}",
        "[]",
        "null",
        '{"jsonrpc":"2.0","id":77,"result":{}}',
        "\x00",
    ):
        talk.event(garbage)
    talk.send("event: nonsense\nretry: soon\nid: \x00\n: comment\nwhat: is\n\n")
    talk.send("data: " + "[" * 5000 + "\n\n")
    talk.event(talk.said("behind the garbage"))
    talk.close()


def slow(talk: Talk) -> None:
    """Never answers; waits until the gateway gives up."""
    talk.server.marks.append("slow begun")
    if talk.gone(20):
        talk.server.marks.append("slow cancelled")


def late(talk: Talk) -> None:
    """Answers after a while, whatever happens."""
    talk.server.marks.append("late begun")
    time.sleep(0.7)
    talk.answer(talk.said("late, but there"))
    talk.server.marks.append("late answered")


def chatty(talk: Talk) -> None:
    """Says something first."""
    talk.stream()
    talk.event(talk.note("one"))
    talk.event(talk.note("two"))
    talk.event(talk.said("three"))
    talk.close()


def flood(talk: Talk) -> None:
    """Says more than anybody wants to hear; marks how far it got."""
    talk.stream()
    talk.line.settimeout(3)
    sent = 0
    try:
        for _ in range(3000):
            talk.event(talk.note("x" * 100_000))
            sent += 100_000
    except OSError:
        pass
    talk.server.marks.append(f"flood {sent}")
    talk.close()


def much(talk: Talk) -> None:
    talk.stream()
    for _ in range(300):
        talk.event(talk.note("x" * 100_000))
    talk.event(talk.said("that is all"))
    talk.close()


TRICKS: dict[str, Callable[[Talk], None]] = {
    "get_html": status("200 OK", "<html>hello</html>", HTML),
    "get_json_that_is_html": status("200 OK", "<html>hello</html>", JSON),
    "get_nothing": status("200 OK", "", JSON),
    "get_broken_json": status("200 OK", '{"jsonrpc":"2.0","id":1,"res', JSON),
    "get_no_object": status("200 OK", "[1,2,3]", JSON),
    "get_neither": lambda talk: talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id})),
    "get_both": both,
    "get_not_utf8": not_utf8,
    "get_not_utf8_event": not_utf8_event,
    "get_wrong_id": wrong_id,
    "get_truncated": truncated,
    "get_500": status("500 Internal Server Error"),
    "get_502": lambda talk: talk.answer("<html>", status=GATEWAY, head=HTML),
    "get_503": status("503 Service Unavailable", "no", "retry-after: 7\r\n"),
    "get_302": status("302 Found", "", "location: http://127.0.0.1:1/\r\n"),
    "get_401": status("401 Unauthorized", "no", "www-authenticate: Bearer\r\n"),
    "get_403": status("403 Forbidden"),
    "get_418": status("418 I'm a teapot"),
    "get_202": status("202 Accepted", ""),
    "get_204": raw("HTTP/1.1 204 No Content\r\n\r\n"),
    "get_gzip": gzipped,
    "get_no_http": raw("SSH-2.0-OpenSSH_9.9\r\n"),
    "get_hang_up": raw(""),
    "get_endless_headers": endless_headers,
    "get_endless_header": endless_header,
    "get_endless_trailer": endless_trailer,
    "get_endless_body": endless_body,
    "get_endless_event": endless_event,
    "get_cut_stream": cut_stream,
    "get_empty_stream": raw(f"{OK}{SSE}connection: close\r\n\r\n"),
    "get_garbage_events": garbage_events,
    "get_slow": slow,
    "get_late": late,
    "get_chatty": chatty,
    "get_flood": flood,
    "get_much": much,
}
