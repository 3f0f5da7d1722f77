"""Stateless callers who may be asked: which session carries their calls."""

import json

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, tool
from tests.torhaus.upstream.servers.http_server import error, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.test_parking import Asking, again, call
from tests.torhaus.upstream.webs import LEGACY, linked
from torhaus.upstream.onlegacy import capabilities, returns, spelled


def sessions(server):
    """Of each tool call, the session it went in."""
    return [each.headers["mcp-session-id"] for each in server.heard if each.asked == "tools/call"]


def test_a_parked_call_keeps_its_session_to_itself_until_it_ends():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (server, link):
            first = await link.request(call(), Memo())
            second = await link.request(call(), Memo())
            await link.request(again(first, {"n": 1}), Memo())
            await link.request(again(second, {"n": 2}), Memo())
            await link.request(call(), Memo())

            assert sessions(server) == ["s-1", "s-2", "s-1"]

    run(story())


def test_clients_that_can_do_other_things_have_other_sessions():
    async def story():
        async with linked(McpServer().script, LEGACY) as (server, link):
            for declared in ({"roots": {}}, {}, {"roots": {}, "tasks": {}}):
                await link.request(call(capabilities=declared), Memo())

            assert sessions(server) == ["s-1", "s-2", "s-1"]

    run(story())


def test_a_missing_capability_has_the_status_of_the_newer_era():
    async def lacking(wire, heard):
        wire.say(whole(error(heard.message["id"], -32021, "sampling is needed")))

    async def story():
        async with linked(McpServer(tool=lacking).script, LEGACY) as (_, link):
            answer = await link.request(call(), Memo())

            assert (json.loads(answer.error)["code"], answer.status) == (-32021, 400)

    run(story())


@pytest.mark.parametrize(
    ("params", "rounds"),
    [({}, False), ({"requestState": "x"}, True), ({"arguments": {"requestState": 1}}, False)],
)
def test_only_a_request_with_a_state_of_its_own_is_another_round(params, rounds):
    assert returns(ask("tools/call", params)) is rounds


def test_capabilities_are_compared_in_one_spelling():
    one = b'{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"roots":{},"elicitation":{}}}}'
    other = (
        b'{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"roots":{}}}}'
    )

    assert spelled(capabilities(one)) == spelled(capabilities(other)) != b"{}"
    assert spelled(capabilities(tool("a").params)) == b"{}"
