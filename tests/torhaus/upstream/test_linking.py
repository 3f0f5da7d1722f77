"""Links that have to be opened first, for clients who are asked instead of refused."""

import json

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run
from tests.torhaus.upstream.servers.http_server import result, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.test_parking import call
from tests.torhaus.upstream.webs import LEGACY, linked
from torhaus.upstream.linking import KEY, asked, declined

LINK = {"mode": "url", "elicitationId": "e1", "url": "https://x.example/go", "message": "Sign in"}
ABLE = {"elicitation": {"url": {}}}


def refusal(*links: object, **more: object) -> bytes:
    error = {"code": -32042, "message": "sign in first", "data": {"elicitations": list(links)}}
    return json.dumps({**error, **more}).encode()


def test_a_client_that_can_open_links_is_asked_to():
    answer = asked("tools/call", refusal(LINK, LINK), ABLE)

    assert answer is not None
    found = json.loads(answer.result or b"")
    assert found["resultType"] == "input_required"
    assert "requestState" not in found
    params = {"mode": "url", "url": "https://x.example/go", "message": "Sign in"}
    asks = {"method": "elicitation/create", "params": params}
    assert found["inputRequests"] == {f"{KEY}1": asks, f"{KEY}2": asks}


@pytest.mark.parametrize("declared", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}])
def test_a_client_that_cannot_is_told_which_capability_it_lacks(declared):
    answer = asked("tools/call", refusal(LINK), declared)

    assert answer is not None
    error = json.loads(answer.error or b"")
    assert (error["code"], answer.status) == (-32021, 400)
    assert error["data"]["requiredCapabilities"] == {"elicitation": {"url": {}}}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("tools/list", refusal(LINK)),
        ("tools/call", refusal()),
        ("tools/call", refusal(data="x")),
        ("tools/call", refusal({"no": "url"}, 7)),
    ],
)
def test_what_asks_nothing_is_still_no_such_error_in_the_newer_era(method, error):
    answer = asked(method, error, ABLE)

    assert answer is not None
    assert json.loads(answer.error or b"") == {"code": -32603, "message": "sign in first"}


@pytest.mark.parametrize("error", [b'{"code":-32602,"message":"m"}', b"[]", b"{"])
def test_other_errors_stay_what_they_are(error):
    assert asked("tools/call", error, ABLE) is None


@pytest.mark.parametrize(
    ("responses", "over"),
    [
        ({f"{KEY}1": {"action": "accept"}}, False),
        ({f"{KEY}1": {"action": "decline"}}, True),
        ({f"{KEY}1": {"action": "accept"}, f"{KEY}2": {"action": "cancel"}}, True),
        ({f"{KEY}1": "yes"}, True),
        ({"q1": {"action": "decline"}}, False),
        ([KEY], False),
    ],
)
def test_a_call_whose_link_was_declined_is_over(responses, over):
    answer = declined(ask("tools/call", {"name": "a", "inputResponses": responses}))

    assert (answer is not None) is over
    if answer is not None:
        assert json.loads(answer.result or b"")["isError"] is True


def test_the_retry_is_the_call_again_in_the_same_session():
    refused: list[str] = []

    async def locked(wire, heard):
        number = heard.message["id"]
        if refused:
            wire.say(whole(result(number, {"content": [{"type": "text", "text": "in"}]})))
        else:
            refused.append(heard.headers["mcp-session-id"])
            error = json.loads(refusal(LINK))
            body = json.dumps({"jsonrpc": "2.0", "id": number, "error": error})
            wire.say(whole(body.encode()))

    async def story():
        async with linked(upstream.script, LEGACY) as (server, link):
            first = await link.request(call(capabilities=ABLE), Memo())
            (key,) = json.loads(first.result)["inputRequests"]
            said = {key: {"action": "accept"}}
            second = await link.request(
                call(capabilities=ABLE, more={"inputResponses": said}), Memo()
            )

            assert json.loads(second.result)["content"][0]["text"] == "in"
            sent = [each for each in server.heard if each.asked == "tools/call"]
            assert "inputResponses" not in sent[1].message["params"]
            assert {each.headers["mcp-session-id"] for each in sent} == set(refused)

    upstream = McpServer(tool=locked)
    run(story())
