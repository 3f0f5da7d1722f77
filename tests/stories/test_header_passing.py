"""What a caller sends beside his message stays here."""

from tests.stories.caller import HELLO, legacy
from tests.stories.town import TOKEN, Town
from tests.stories.upstream import Upstream

OWN = {
    "cookie": "session=canary-1",
    "x-mcp-toolsets": "canary-2",
    "x-mcp-readonly": "canary-3",
    "x-forwarded-for": "canary-4",
    "forwarded": "for=canary-5",
    "proxy-authorization": "Basic canary-6",
    "x-original-url": "/canary-7",
    "x-http-method-override": "canary-8",
    "referer": "https://canary-9.example/",
    "user-agent": "canary-10",
}


def test_no_header_of_the_caller_reaches_the_server(town: Town, upstream: Upstream) -> None:
    upstream.seen.clear()
    with town.caller() as modern, town.caller() as old:
        body, usual = modern.call("get_note")
        assert modern.ask(body, {**usual, **OWN}).status == 200
        hello = old.ask(legacy("initialize", HELLO), OWN)
        old.session = hello.headers["mcp-session-id"]
        assert old.ask(*old.call("get_note")).status == 200

    assert len(upstream.seen) >= 2
    for each in upstream.seen:
        text = str(sorted(each.headers.items()))
        assert "canary" not in text
        assert "alice-key" not in text
        assert each.headers["authorization"] == f"Bearer {TOKEN}"
