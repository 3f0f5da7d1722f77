"""What servers do that they should not, and sessions that are not their caller's."""

import json

import pytest

from tests.stories.caller import (
    HELLO,
    LEGACY,
    MODERN,
    Answer,
    Caller,
    legacy,
    modern,
    routing,
)
from tests.stories.town import KEYS, SECRETS, TOKEN, Town
from tests.stories.upstream import Upstream

CALL = {"name": "get_note", "arguments": {"id": 1}}


@pytest.fixture(autouse=True, scope="module")
def nothing_seen(upstream: Upstream) -> None:
    """What gateways of other modules have sent there is none of ours."""
    upstream.seen.clear()


# -- sessions ---------------------------------------------------------------------------------


def in_session(caller: Caller) -> list[Answer]:
    """Everything one can try with a session id."""
    return [
        caller.ask(legacy("tools/list")),
        caller.ask({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}}),
        caller.ask({"jsonrpc": "2.0", "id": "x", "result": {}}),
        caller.ask(b"", {"accept": "text/event-stream"}, "GET"),
        caller.ask(b"", method="DELETE"),
    ]


@pytest.mark.parametrize("which", ["somebody else's", "of another server", "ended", "made up"])
def test_a_session_that_is_not_the_callers(which: str, town: Town) -> None:
    with town.caller() as alice, town.caller("CAROL") as carol, town.caller() as other:
        alice.begin()
        if which == "somebody else's":
            caller, carol.session = carol, alice.session
        elif which == "of another server":
            caller, other.target, other.session = other, "/mcp/old", alice.session
        elif which == "ended":
            caller = alice
            assert alice.ask(b"", method="DELETE").status == 200
        else:
            caller, other.session = other, "A" * 300
        before = town.count()

        answers = in_session(caller)

        assert [each.status for each in answers] == [404] * 5
        assert all("initialize" in each.error["message"] for each in answers)
        assert town.outcome(before) == [("invalid", "error")] * 5
    assert town.alive()


def test_an_answer_to_a_question_that_nobody_asked(town: Town) -> None:
    with town.caller() as caller:
        caller.begin()
        before = town.count()

        for id in ("x", "th.x", 5):
            answer = caller.ask({"jsonrpc": "2.0", "id": id, "result": {}})
            assert answer.status == 400
            assert "id" in answer.error["message"]

        assert town.outcome(before) == [("invalid", "error")] * 3


@pytest.mark.parametrize("params", [{}, {"protocolVersion": 5}, {**HELLO, "capabilities": "x"}])
def test_an_initialize_of_the_wrong_shape_is_no_500(params: object, town: Town) -> None:
    with town.caller() as caller:
        answer = caller.ask(legacy("initialize", params))

    assert answer.status in (200, 400)
    assert town.alive()


# -- servers that misbehave -------------------------------------------------------------------

FAILS = {
    "get_html": "",
    "get_json_that_is_html": "",
    "get_nothing": "",
    "get_broken_json": "",
    "get_no_object": "",
    "get_neither": "neither",
    "get_not_utf8": "",
    "get_wrong_id": "another request",
    "get_truncated": "closed",
    "get_500": "500",
    "get_502": "502",
    "get_503": "retry after 7",
    "get_302": "redirect",
    "get_401": "credential",
    "get_403": "credential",
    "get_418": "418",
    "get_202": "",
    "get_204": "",
    "get_gzip": "compressed",
    "get_no_http": "HTTP",
    "get_hang_up": "closed",
    "get_endless_headers": "headers",
    "get_endless_header": "headers",
    "get_endless_trailer": "headers",
    "get_endless_body": "larger",
    "get_endless_event": "larger",
    "get_cut_stream": "",
    "get_empty_stream": "",
}


@pytest.mark.parametrize("server", ["scripted", "old"])
@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("name", FAILS)
def test_a_server_that_answers_garbage(name: str, era: str, server: str, town: Town) -> None:
    assert FAILS[name] in failing(name, era, server, town)


@pytest.mark.parametrize("server", ["hasty", "hasty-old"])
@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_a_server_that_does_not_answer(era: str, server: str, town: Town) -> None:
    assert "1 s" in failing("get_slow", era, server, town)


def failing(name: str, era: str, server: str, town: Town) -> str:
    """What the caller is told."""
    with town.caller(server=server) as caller:
        if era == LEGACY:
            caller.begin()
        before = town.count()

        answer = caller.tool(name)

    assert answer.status == 200
    result = answer.message["result"]
    assert result["isError"] is True
    assert f"{server} cannot answer" in answer.text
    assert town.outcome(before) == [(name, "error")]
    assert town.alive()
    return answer.text


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("name", ["get_garbage_events", "get_not_utf8_event"])
def test_a_server_that_says_garbage_before_its_answer(era: str, name: str, town: Town) -> None:
    with town.caller() as caller:
        if era == LEGACY:
            caller.begin()
        before = town.count()

        answer = caller.tool(name)

    assert answer.text == "behind the garbage"
    assert b"\xff" not in answer.body
    assert town.outcome(before) == [(name, "success")]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_a_server_that_is_down(era: str, town: Town) -> None:
    before = town.count()
    with town.caller(server="down") as caller:
        message = (
            modern("tools/call", {"name": "get_note"})
            if era == MODERN
            else legacy("initialize", HELLO)
        )
        answer = caller.ask(message, routing("tools/call", "get_note") if era == MODERN else {})

    assert answer.status == 200
    said = answer.text if era == MODERN else answer.error["message"]
    assert "down cannot answer: no connection to 127.0.0.1" in said
    assert [status for _, status in town.outcome(before)] == ["error"]
    assert json.loads(town.get("/ready") or "")["servers"]["down"] in ("failing", "down")
    assert town.alive()


# -- at the end -------------------------------------------------------------------------------


def test_no_secret_was_written_down_or_sent_on(town: Town, upstream: Upstream) -> None:
    """Runs last in this file: after everything above."""
    written = town.written()

    assert all(secret.encode() not in written for secret in SECRETS)
    assert upstream.seen
    for seen in upstream.seen:
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert all(key not in json.dumps(seen.headers) for key in KEYS.values())
    for page in ("/health", "/ready", "/status", "/metrics"):
        assert all(secret not in (town.get(page) or "") for secret in SECRETS)
