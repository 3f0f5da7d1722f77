import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, ENVELOPE, NOW, World, run, sealer
from tests.torhaus.scripted import ScriptedServer, always, listing
from torhaus.gate import calls
from torhaus.mcp import codes
from torhaus.mcp.clients import CLIENT_KEY
from torhaus.mcp.message import CallerError
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.servers import ASKABLE, Era

WORLD = World()


@pytest.mark.parametrize(
    ("among", "asks", "left"),
    [
        (False, ASKABLE, {"roots", "sampling"}),
        (False, ("roots",), {"roots"}),
        (True, (), {"roots"}),
    ],
)
def test_a_server_hears_of_what_it_may_ask_alone(
    among: bool, asks: tuple[str, ...], left: set[str]
) -> None:
    able = {"roots": {}, "sampling": {}}
    params = {"name": "x", "_meta": {CAPABILITIES_KEY: able}}
    asking = WORLD.asking("tools/call", params)
    server = msgspec.structs.replace(asking.server, asks=asks)
    asking = msgspec.structs.replace(asking, server=server, among=among)

    sent = json.loads(calls.ask(asking, sealer(), NOW).params)

    assert set(sent["_meta"][CAPABILITIES_KEY]) == left


def built(method: str, params: dict[str, Any] | None = None) -> Any:
    return calls.build(WORLD.asking(method, params), "req_1", {"readOnlyHint": True})


# -- what is decided --------------------------------------------------------------------------


def test_a_tool_call_is_judged_by_its_name_and_arguments():
    call = built("tools/call", {"name": "list_issues", "arguments": {"repo": "a/b", "n": 1}})

    assert (call.operation, call.method) == ("list_issues", "tools/call")
    assert call.arguments == {"repo": "a/b", "n": 1}
    assert json.loads(call.payload) == {"repo": "a/b", "n": 1}
    assert call.hints == {"readOnlyHint": True}
    assert not call.retry


def test_absent_arguments_are_none():
    call = built("tools/call", {"name": "list_issues"})

    assert (call.arguments, call.payload) == ({}, b"{}")


def test_any_other_request_is_judged_by_its_params():
    call = built("resources/read", {"uri": "file:///x"})

    assert call.operation == "resources/read"
    assert call.arguments["uri"] == "file:///x"
    assert call.hints == {}


def test_what_a_client_says_of_itself_is_not_recorded_as_arguments():
    assert built("initialize", {"clientInfo": {"name": "x"}}).payload == b""


def test_the_arguments_are_measured_as_they_came():
    assert built("tools/call", {"name": "x", "arguments": {"a": "ü"}}).sent == len('{"a":"ü"}') + 1
    assert built("initialize", {"clientInfo": {"name": "x"}}).sent == 0


def test_a_call_knows_the_revision_its_caller_speaks():
    session = WORLD.session()
    in_session = WORLD.tool("list_issues", session=session)

    assert built("tools/list").protocol == "2026-07-28"
    assert calls.build(in_session, "req_1", {}).protocol == session.version
    assert calls.build(in_session, "req_1", {}).client == "test"


@pytest.mark.parametrize(
    ("asked", "known"),
    [("2025-06-18", "2025-06-18"), ("2099-01-01", ""), (["2025-06-18"], ""), (None, "")],
)
def test_an_initialize_is_of_the_revision_it_asks_for_if_that_is_one(asked: object, known: str):
    assert built("initialize", {"protocolVersion": asked}).protocol == known


def test_a_call_belongs_to_the_trace_that_its_head_or_its_envelope_names():
    told = {"_meta": {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}}
    asking = WORLD.asking("tools/call", {"name": "x", **told})
    headed = msgspec.structs.replace(asking, trace="c" * 32)

    assert calls.build(asking, "req_1", {}).trace == "a" * 32
    assert calls.build(headed, "req_1", {}).trace == "c" * 32
    assert built("resources/read", {"uri": "x", **told}).trace == "a" * 32
    assert built("tools/list").trace == ""


@pytest.mark.parametrize("extra", [{"requestState": "x"}, {"inputResponses": {}}])
@pytest.mark.parametrize("method", ["tools/call", "resources/read"])
def test_a_round_after_a_question_is_a_retry(method: str, extra: dict[str, Any]):
    assert built(method, {"name": "x", "uri": "y", **extra}).retry


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "list_issues", "Name": "delete_repository"}),
        ("tools/call", {"Name": "delete_repository", "name": "list_issues"}),
        ("tools/call", {"name": "list_issues", "Arguments": {"method": "delete"}}),
        ("tools/call", {"name": "list_issues", "argument\u017f": {"method": "delete"}}),
        ("tools/call", {"name": "list_issues", "RequestState": "x"}),
        ("tools/call", {"name": "list_issues", "inputresponses": {}}),
        ("tools/call", {"name": "list_issues", "arguments": {"a": {"k": 1, "\u212a": 2}}}),
        ("prompts/get", {"name": "a", "NAME": "b"}),
        ("resources/read", {"uri": "file:///public", "URI": "file:///secret"}),
        ("resources/read", {"Uri": "file:///secret"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "Type": "ref/resource"}}),
        ("tasks/get", {"taskId": "mine", "taskID": "yours"}),
    ],
)
def test_a_key_that_another_reader_may_take_for_a_decisive_one_is_refused(
    method: str, params: dict[str, Any]
):
    with pytest.raises(CallerError) as caught:
        built(method, params)

    assert (caught.value.code, caught.value.id) == (-32602, b"1")


def test_foreign_params_pass():
    assert built("tools/call", {"name": "x", "vendor": 1, "_meta": {"Trace": 1}})


# -- what travels upstream --------------------------------------------------------------------


def test_params_travel_as_they_were_read():
    asking = WORLD.tool("list_issues", {"repo": "grüße", "x": 1.0})

    ask = calls.ask(asking, sealer(), NOW)

    assert json.loads(ask.params) == asking.request.params
    assert (ask.name, ask.id, ask.principal) == ("list_issues", b"1", "u-alice")
    assert ask.timeout == 300.0


def test_a_subscription_waits_for_ever():
    assert calls.ask(WORLD.asking("subscriptions/listen"), sealer(), NOW).timeout is None


def test_a_name_that_is_no_text_names_nothing():
    assert calls.ask(WORLD.asking("resources/read", {"uri": 7}), sealer(), NOW).name is None


def test_a_legacy_request_travels_in_its_session():
    session = WORLD.session()

    ask = calls.ask(WORLD.tool("list_issues", session=session), sealer(), NOW)

    assert ask.session is session
    assert ask.era is Era.LEGACY


def test_a_call_names_the_client_it_comes_with():
    info = {"name": "cursor", "version": "1"}
    modern = WORLD.tool("list_issues", extra={"_meta": {CLIENT_KEY: info}})
    legacy = WORLD.tool("list_issues", session=WORLD.session())
    begun = WORLD.asking("initialize", {"clientInfo": info})

    asked = [calls.build(each, "req_1", {}) for each in (modern, legacy, begun)]

    assert [each.client for each in asked] == ["cursor", "test", "cursor"]
    assert built("tools/call", {"name": "list_issues"}).client == ""


def test_a_session_keeps_the_name_its_client_began_with():
    extra = {"_meta": {CLIENT_KEY: {"name": "another"}}, "clientInfo": {"name": "another"}}
    asking = WORLD.tool("list_issues", session=WORLD.session(), extra=extra)

    assert calls.build(asking, "req_1", {}).client == "test"


# -- the gate's own look at the list ----------------------------------------------------------


def test_every_page_of_the_list_is_fetched():
    async def story() -> None:
        server = ScriptedServer()

        async def paged(ask: Ask, sink: Sink) -> Answer:
            cursor = json.loads(ask.params).get("cursor")
            return listing({"name": str(cursor)}, **({} if cursor == "" else {"nextCursor": ""}))

        server.script = paged

        pages = await calls.pages(server, WORLD.tool("x"), lambda: "own")

        assert [json.loads(page)["tools"][0]["name"] for page in pages] == ["None", ""]
        assert [json.loads(ask.params)["_meta"] for ask in server.asked] == [ENVELOPE] * 2
        assert [ask.id for ask in server.asked] == [b'"own"'] * 2

    run(story())


def test_a_list_without_end_is_given_up():
    async def story() -> None:
        server = ScriptedServer(always(listing(nextCursor="more")))

        pages = await calls.pages(server, WORLD.tool("x", session=WORLD.session()), lambda: "own")

        assert len(pages) == len(server.asked) == calls.MAX_PAGES
        assert "_meta" not in json.loads(server.asked[0].params)

    run(story())


def test_an_error_is_no_list():
    async def story() -> None:
        server = ScriptedServer(always(Answer(error=b"{}")))

        with pytest.raises(UpstreamError):
            await calls.pages(server, WORLD.tool("x", by=ALICE), lambda: "own")

    run(story())


def test_a_deaf_sink_hears_nothing():
    sink = calls.Deaf()

    sink.opened()

    assert sink.throttle is None


def test_a_header_that_repeats_another_argument_never_reaches_the_server():
    async def story() -> None:
        world = World()
        marked = {"type": "string", "x-mcp-header": "Owner"}
        schema = {"type": "object", "properties": {"owner": marked}}
        page = json.dumps({"tools": [{"name": "list_issues", "inputSchema": schema}]})
        world.gate.catalogue.learn(world.server, [page.encode()], world.clock())
        asking = msgspec.structs.replace(
            world.tool("list_issues", {"owner": "myorg"}),
            era=Era.MODERN,
            headers=(("mcp-param-owner", "other"),),
        )

        with pytest.raises(CallerError) as refused:
            await world.admit(asking)

        assert refused.value.code == codes.HEADER_MISMATCH
        assert world.upstream.asked == []
        assert world.ledger.noted == []

    run(story())


MARKED = {
    "type": "object",
    "properties": {
        "owner": {"type": "string", "x-mcp-header": "Owner"},
        "limit": {"type": "integer", "x-mcp-header": "Limit"},
    },
}


def marked_world(**more: Any) -> World:
    world = World(**more)
    page = json.dumps({"tools": [{"name": "list_issues", "inputSchema": MARKED}]})
    world.gate.catalogue.learn(world.server, [page.encode()], world.clock())
    return world


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"owner": "myorg", "limit": 3}, {"mcp-param-owner": "myorg", "mcp-param-limit": "3"}),
        ({"owner": "Grüße"}, {"mcp-param-owner": "=?base64?R3LDvMOfZQ==?="}),
        ({"owner": "a\r\nx: 1"}, {"mcp-param-owner": "=?base64?YQ0KeDogMQ==?="}),
        ({"owner": None, "other": "x"}, {}),
        ({"owner": {"not": "text"}}, {}),
    ],
)
def test_a_session_client_repeats_nothing_so_its_headers_are_written_for_it(
    arguments: dict[str, Any], sent: dict[str, str]
):
    async def story() -> None:
        world = marked_world()

        await world.admit(world.tool("list_issues", arguments, session=world.session()))

        assert dict(world.upstream.asked[-1].headers) == sent

    run(story())


def test_a_tool_that_marks_nothing_is_called_without_such_headers():
    async def story() -> None:
        world = World().knows_the_tools()

        await world.admit(world.tool("list_issues", {"owner": "x"}, session=world.session()))

        assert world.upstream.asked[-1].headers == ()

    run(story())
