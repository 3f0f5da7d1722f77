import gc
import json

import pytest
from structlog.testing import capture_logs

from tests.torhaus.cast import World, run, settled
from tests.torhaus.edge.doors import (
    INITIALIZE,
    legacy,
    modern,
    open_house,
    routing,
    said,
    tool,
)
from tests.torhaus.scripted import note, text
from torhaus.edge.exchange import Exchange
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink

# -- calls ------------------------------------------------------------------------------------


def test_a_modern_call_is_answered() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(*tool())

            assert answer.status == 200
            assert said(answer)["result"]["content"][0]["text"] == "tools/call list_issues"
            assert house.records() == [("list_issues", "success")]

    run(story())


def test_a_session_begins_is_used_and_ends() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            listed = await caller.ask(legacy("tools/list", id="a"))
            ended = await caller.ask(b"", method="DELETE")
            after = await caller.ask(legacy("tools/list", id="b"))

            assert said(listed)["id"] == "a"
            assert ended.status == 200
            assert after.status == 404
            assert said(after)["id"] == "b"
            assert house.records()[-1] == ("invalid", "error")

    run(story())


def test_a_call_leaves_nothing_behind() -> None:
    """Several words of a call are invisible to the collector: a cycle through them would stay."""

    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()
            for _ in range(3):
                await caller.ask(legacy("tools/call", {"name": "list_issues"}))
            await caller.ask(
                *tool(),
            )
            await settled()
            gc.collect()
            before = sum(isinstance(each, Exchange) for each in gc.get_objects())

            for _ in range(20):
                await caller.ask(legacy("tools/call", {"name": "list_issues"}))
                await caller.ask(*tool())
                await caller.ask(legacy("tools/call", {"name": "create_issue"}))
                await caller.ask(legacy("nothing"))
                await caller.ask(b"{")
            await settled()
            gc.collect()

            after = sum(isinstance(each, Exchange) for each in gc.get_objects())
            assert after - before < 5

    run(story())


def test_a_ping_is_answered_without_a_session() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(legacy("ping", id="p"))

            assert said(answer) == {"jsonrpc": "2.0", "id": "p", "result": {}}

    run(story())


def test_notifications_and_answers_are_accepted_without_a_body() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            told = await caller.ask({"jsonrpc": "2.0", "method": "notifications/initialized"})
            modern_told = await caller.ask(
                {"jsonrpc": "2.0", "method": "notifications/anything"},
                {"mcp-session-id": None, **routing("notifications/anything")},  # type: ignore[dict-item]
            )

            assert (told.status, told.body) == (202, b"")
            assert (modern_told.status, modern_told.body) == (202, b"")

    run(story())


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_request_without_an_id_is_refused_and_never_passed_on(era: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()
            params = {"name": "delete_file", "arguments": {}}
            told = {"jsonrpc": "2.0", "method": "tools/call", "params": params}
            routed = {"mcp-session-id": None, **routing("tools/call", "delete_file")}

            answer = await caller.ask(told, routed if era == "modern" else None)  # type: ignore[arg-type]

            assert answer.status == 400
            assert "'tools/call' is a request and needs an id" in said(answer)["error"]["message"]
            assert house.world.upstream.posted == []
            assert house.records()[-1] == ("invalid", "error")

    run(story())


def test_a_modern_client_has_no_answers_to_give() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(
                {"jsonrpc": "2.0", "id": 1, "result": {}}, {"mcp-protocol-version": "2026-07-28"}
            )

            assert answer.status == 400
            assert house.records() == [("invalid", "error")]

    run(story())


# -- what is wrong is said, and recorded once --------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b"{", {}, 400, "JSON"),
        (b"[]", {}, 400, "batch"),
        (legacy("tools/list"), {}, 400, "Mcp-Session-Id"),
        (legacy("tools/list"), {"mcp-session-id": "made-up"}, 404, "initialize"),
        (legacy("tools/list"), {"content-type": "text/plain"}, 415, "application/json"),
        (legacy("tools/list"), {"content-type": None}, 415, "application/json"),
        (legacy("tools/list"), {"accept": "text/html"}, 406, "text/event-stream"),
        (modern("tools/list"), {}, 400, "MCP-Protocol-Version"),
        (modern("tools/list"), routing("prompts/list"), 400, "Mcp-Method"),
        (modern("ping"), routing("ping"), 404, "ping"),
        (*(tool()[0],), routing("tools/call", "other"), 400, "Mcp-Name"),
        (legacy("tools/list"), {"mcp-protocol-version": "1900-01-01"}, 400, "_meta"),
    ],
)
def test_a_message_that_is_no_call_is_refused_with_a_reason_and_one_record(
    body: object, headers: dict[str, str], status: int, word: str
) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(body, headers)

            assert answer.status == status
            assert word in said(answer)["error"]["message"]
            assert house.records() == [("invalid", "error")]
            assert (await caller.ask(*tool())).status == 200

    run(story())


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "PATCH", "HEAD"])
def test_a_method_that_mcp_does_not_have_is_named_and_recorded(method: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            caller.send(b"", method=method)
            status, headers = await caller.client.head()

            assert (status, headers[b"allow"]) == (405, b"POST, GET, DELETE")
            assert house.records() == [("invalid", "error")]
            if method != "HEAD":
                message = await caller.client.reader.readexactly(int(headers[b"content-length"]))
                assert method in json.loads(message)["error"]["message"]
            assert (await caller.ask(*tool())).status == 200

    run(story())


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_without_a_session_there_is_nothing_to_get_or_delete(method: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(b"", method=method)

            assert answer.status == 405
            assert answer.headers[b"allow"] == b"POST"

    run(story())


@pytest.mark.parametrize("target", ["/mcp/nothing", "/mcp/%2e%2e/", "/mcp/github/x"])
def test_an_unknown_server_is_not_there_and_the_usable_ones_are_named(target: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect(target=target)

            answer = await caller.ask(*tool())

            assert answer.status == 404
            assert "github" in said(answer)["error"]["message"]
            assert house.records() == [("invalid", "error")]

    run(story())


def test_who_may_use_nothing_is_told_no_servers_name() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect("mallory-key", target="/mcp/nothing")

            answer = await caller.ask(*tool())

            assert answer.status == 404
            assert b"github" not in answer.body

    run(story())


def test_a_very_long_name_is_not_said_back() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect(target="/mcp/" + "x" * 30_000)

            answer = await caller.ask(*tool())

            assert answer.status == 404
            assert len(answer.body) < 1000

    run(story())


@pytest.mark.parametrize(
    "name", ["Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Param-A"]
)
def test_a_routing_header_may_stand_only_once(name: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()

            answer = await caller.ask(*(tool()[0],), {name.lower(): "a", name: "a"})

            assert answer.status == 400
            assert said(answer)["error"]["code"] == -32020
            assert house.records() == [("invalid", "error")]

    run(story())


def test_a_parameter_header_beyond_ascii_is_refused() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            body, headers = tool()

            answer = await caller.ask(body, {**headers, "mcp-param-a": "\xe4"})

            assert answer.status == 400
            assert said(answer)["error"]["code"] == -32020

    run(story())


@pytest.mark.parametrize(
    "result", [[], "x", 5, {"protocolVersion": 5}, {"protocolVersion": "2025\r\nx: y"}, {}]
)
def test_an_upstream_that_begins_with_garbage_costs_its_caller_no_500(result: object) -> None:
    async def story() -> None:
        world = World()
        world.upstream.answers(Answer(result=json.dumps(result).encode()))
        async with open_house(world) as house:
            caller = await house.connect()

            answer = await caller.ask(legacy("initialize", INITIALIZE))

            assert answer.status == 200
            assert b"mcp-session-id" not in answer.headers
            assert "initialize" in said(answer)["error"]["message"]
            assert len(house.records()) == 1

    run(story())


def test_what_an_upstream_says_before_a_session_begins_does_not_break_the_answer() -> None:
    """The session id is a header of the answer, so no stream may have been begun before."""

    async def story() -> None:
        world = World()

        async def script(ask: Ask, sink: Sink) -> Answer:
            sink.notice(note("notifications/message", {"level": "info", "data": "hello"}))
            return Answer(result=b'{"protocolVersion":"2025-11-25","capabilities":{}}')

        world.upstream.script = script
        async with open_house(world) as house:
            caller = await house.connect()

            answer = await caller.begin()

            assert answer.status == 200
            assert said(answer)["result"]["protocolVersion"] == "2025-11-25"
            assert (await caller.ask(legacy("tools/list"))).status == 200

    run(story())


def test_a_bug_of_ours_costs_one_answer_and_names_a_number() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        world.upstream.fails(KeyError("a bug"))
        async with open_house(world) as house:
            caller = await house.connect()

            with capture_logs() as logs:
                answer = await caller.ask(*tool())
            world.upstream.answers(text("fine"))

            assert [each["event"] for each in logs] == ["edge.bug"]
            assert answer.status == 500
            assert b"a bug" not in answer.body
            assert "req_" in said(answer)["error"]["message"]
            assert (await caller.ask(*tool())).status == 200

    run(story())


def test_nothing_is_answered_while_no_record_can_be_kept() -> None:
    async def story() -> None:
        async with open_house() as house:
            house.world.ledger.well = False
            caller = await house.connect()

            answer = await caller.ask(*tool())

            assert said(answer)["result"]["isError"] is True
            assert "audit" in said(answer)["result"]["content"][0]["text"]
            assert house.world.upstream.asked == []

    run(story())


def test_a_stranger_is_told_so_before_his_body_has_come() -> None:
    async def story() -> None:
        async with open_house() as house:
            stranger, known = await house.connect("guess"), await house.connect()
            for caller in (stranger, known):
                head = {"content-length": "99000"}
                caller.send(b" " * 80_000, head)

            answer = await stranger.client.answer()
            known.client.send(b" " * 19_000)

            assert answer.status == 401
            assert answer.headers[b"www-authenticate"].startswith(b"Bearer")
            assert (await known.client.answer()).status == 400
            assert house.records() == [("invalid", "error")]

    run(story())
