"""`/mcp` over real sockets: many servers behind one door, in both eras."""

import json
from typing import Any

import pytest

from tests.torhaus.cast import run, settled
from tests.torhaus.edge.doors import Caller, events, legacy, modern, routing, said
from tests.torhaus.gate.aggregate.crowd import open_place
from tests.torhaus.scripted import dumps, note
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.views import ALONE, WHOLE, View


async def names(caller: Caller, method: str = "tools/list") -> list[str]:
    body = modern(method) if caller.session is None else legacy(method)
    headers = routing(method) if caller.session is None else None
    answer = said(await caller.ask(body, headers))
    return [each["name"] for each in answer["result"]["tools"]]


async def call(caller: Caller, name: str, arguments: Any = None, **headers: str) -> Any:
    params = {"name": name, "arguments": arguments or {}}
    if caller.session is not None:
        return said(await caller.ask(legacy("tools/call", params, 7)))
    body = modern("tools/call", params, 7)
    return said(await caller.ask(body, {**routing("tools/call", name), **headers}))


ALL = [
    f"{server}__{name}"
    for server in ("github", "docs", "tea")
    for name in ("list_issues", "get__it")
]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_everything_is_listed_and_a_call_finds_its_server(era: str) -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()
            if era == "legacy":
                await dana.begin()

            assert await names(dana) == ALL
            answer = await call(dana, "docs__get__it", {"a": 1})

            assert answer["id"] == 7
            assert answer["result"]["content"][0]["text"] == "docs get__it {'a': 1}"
            record = place.world.ledger.noted[-1]
            assert (record.mcp_server, record.operation) == ("docs", "get__it")

    run(story())


def test_somebody_sees_and_reaches_what_he_may_and_no_more() -> None:
    async def story() -> None:
        async with open_place() as place:
            alice = await place.come("alice-key")

            assert await names(alice) == ["github__list_issues", "github__get__it"]
            refused = await call(alice, "docs__get__it")
            unknown = await call(alice, "nobody__get__it")

            assert refused["result"]["_meta"]["torhaus/verdict"]["verdict"] == "deny"
            assert place.crowd.members["docs"].calls() == []
            assert unknown["error"]["code"] == -32602
            statuses = [(each.mcp_server, each.result.status) for each in place.world.ledger.noted]
            assert ("docs", "denied") in statuses

    run(story())


def test_a_caller_with_no_rights_gets_an_empty_list_that_leaves_a_record() -> None:
    async def story() -> None:
        async with open_place() as place:
            mallory = await place.come("mallory-key")

            assert await names(mallory) == []
            assert [each.mcp_server for each in place.world.ledger.noted] == ["*"]

    run(story())


def test_a_session_is_its_callers_and_of_this_address_alone() -> None:
    async def story() -> None:
        some = View(name="some", picks={"docs": WHOLE})
        async with open_place(views={**ALONE, "some": some}) as place:
            dana, bob = await place.come(), await place.come("bob-key")
            await dana.begin()
            bob.session = dana.session
            there = await place.connect("dana-key", "/mcp/github")
            there.session = dana.session

            assert (await bob.ask(legacy("tools/list"))).status == 404
            assert (await there.ask(legacy("tools/list"))).status == 404
            view = await place.come(target="/mcp/some")
            view.session = dana.session
            assert (await view.ask(legacy("tools/list"))).status == 404
            assert (await dana.ask(legacy("ping"))).status == 200

    run(story())


def test_initialize_is_answered_with_what_all_offer() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            hello = said(await dana.begin())["result"]

            assert hello["protocolVersion"] == "2025-11-25"
            assert hello["serverInfo"]["name"] == "torhaus"
            assert hello["capabilities"] == {"tools": {"listChanged": True}}
            assert "[docs]\nask docs" in hello["instructions"]

    run(story())


def test_discover_says_the_same_in_the_newer_era() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            method = "server/discover"
            hello = said(await dana.ask(modern(method), routing(method)))["result"]

            assert hello["supportedVersions"] == ["2026-07-28"]
            assert hello["capabilities"] == {"tools": {"listChanged": True}}
            assert (hello["resultType"], hello["cacheScope"]) == ("complete", "private")

    run(story())


def test_headers_are_checked_against_what_the_client_said() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            wrong = await call(dana, "docs__get__it", **{"mcp-name": "get__it"})
            right = await call(dana, "docs__get__it")

            assert wrong["error"]["code"] == -32020
            assert "result" in right
            assert place.crowd.members["docs"].calls()[0].name == "get__it"

    run(story())


@pytest.mark.parametrize("method", ["tasks/list", "x/y"])
def test_what_has_no_server_is_not_served(method: str) -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            answer = await dana.ask(modern(method), routing(method))

            assert answer.status == 404
            assert said(answer)["error"]["code"] == -32601

    run(story())


def test_a_server_asks_the_client_by_name_and_hears_the_answer() -> None:
    async def story() -> None:
        async with open_place() as place:
            docs = place.crowd.members["docs"]

            async def asks(ask: Ask, sink: Sink) -> Answer:
                if ask.method == "tools/call":
                    sink.notice(note("elicitation/create", {"message": "Sure?"}, id=5))
                    while not docs.posted:
                        await settled(1)
                    return Answer(result=dumps({"content": [], "said": 1}))
                return await docs.plays(ask, sink)

            docs.script = asks
            dana, again, bob = await place.come(), await place.come(), await place.come("bob-key")
            await dana.begin(elicitation={})
            await bob.begin()
            again.session = dana.session
            dana.send(legacy("tools/call", {"name": "docs__get__it"}, 7))
            await dana.client.head()
            stream = dana.client.chunks()
            asked = events(await anext(stream))[0]
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}}

            assert asked["params"]["message"] == "[docs] Sure?"
            assert (await bob.ask(answer)).status == 400
            assert docs.posted == []
            assert (await again.ask(answer)).status == 202
            assert json.loads(docs.posted[0])["id"] == 5
            assert events(await anext(stream))[0]["result"]["said"] == 1

    run(story())


def test_a_call_is_cancelled_by_the_id_it_was_made_with() -> None:
    async def story() -> None:
        async with open_place() as place:
            docs = place.crowd.members["docs"]
            dana, again = await place.come(), await place.come()
            await dana.begin()
            again.session = dana.session
            await names(dana)
            held = docs.waits()
            dana.send(legacy("tools/call", {"name": "docs__get__it"}, 7))
            await held.came()

            cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
            told = await again.ask({**cancel, "params": {"requestId": 7}})
            await settled()

            assert told.status == 202
            assert docs.cancelled == 1
            assert json.loads(docs.posted[-1])["params"] == {"requestId": 7}
            assert place.world.ledger.noted[-1].result.status == "cancelled"

    run(story())


def test_progress_and_logs_say_whose_they_are() -> None:
    async def story() -> None:
        async with open_place() as place:
            docs = place.crowd.members["docs"]

            async def speaks(ask: Ask, sink: Sink) -> Answer:
                if ask.method == "tools/call":
                    for token in ("mine", "other"):
                        sink.notice(note("notifications/progress", {"progressToken": token}))
                    sink.notice(note("notifications/message", {"level": "info", "data": "x"}))
                return await docs.plays(ask, sink)

            docs.script = speaks
            dana = await place.come()
            await dana.begin()
            meta = {"progressToken": "mine"}
            answer = await dana.ask(legacy("tools/call", {"name": "docs__get__it", "_meta": meta}))

            first, second, last = events(answer.body)
            assert first["params"] == {"progressToken": "mine"}
            assert second["params"]["logger"] == "docs"
            assert "result" in last

    run(story())


def test_the_end_of_a_session_ends_those_behind_it() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()
            await dana.begin()
            await names(dana)

            ended = await dana.ask(b"", method="DELETE")

            assert ended.status == 200
            closed = [m.closed[0].server for m in place.crowd.members.values()]
            assert closed == ["github", "docs", "tea"]
            assert (await dana.ask(legacy("ping2"))).status == 404

    run(story())


def test_a_level_reaches_servers_when_they_are_called() -> None:
    async def story() -> None:
        async with open_place() as place:
            docs = place.crowd.members["docs"]
            docs.more["logging/setLevel"] = Answer(result=b"{}")
            dana = await place.come()
            await dana.begin()

            wrong = said(await dana.ask(legacy("logging/setLevel", {"level": "loud"})))
            right = said(await dana.ask(legacy("logging/setLevel", {"level": "error"})))
            before = docs.methods()
            await call(dana, "docs__get__it")
            await call(dana, "docs__get__it")

            assert (wrong["error"]["code"], right["result"]) == (-32602, {})
            assert "logging/setLevel" not in before
            assert docs.methods().count("logging/setLevel") == 1

    run(story())


def test_a_server_that_fails_is_named_and_no_other_suffers() -> None:
    async def story() -> None:
        async with open_place() as place:
            place.crowd.members["docs"].fails(UpstreamError("it is gone"))
            dana = await place.come()
            await dana.begin()

            assert (
                "docs cannot answer"
                in (await call(dana, "docs__list_issues"))["result"]["content"][0]["text"]
            )
            assert (await call(dana, "tea__list_issues"))["result"]["content"][0]["text"]

    run(story())


def test_strange_requests_are_refused_and_recorded() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            assert (await dana.ask(legacy("tools/list"))).status == 400
            assert (await dana.ask(b"", method="GET")).status == 405
            assert (await dana.ask(b"[]")).status == 400
            assert (await dana.ask(b"", method="PUT")).status == 405
            await dana.begin()
            strange = {"jsonrpc": "2.0", "method": "notifications/strange"}
            assert said(await dana.ask(strange))["error"]["code"] == -32601
            assert [each.mcp_server for each in place.world.ledger.noted].count("*") >= 5

    run(story())


@pytest.mark.parametrize(
    ("host", "status"),
    [("docs.gw.example.com", 200), ("gw.example.com", 200), ("nobody.gw.example.com", 404)],
)
def test_a_server_has_a_host_name_of_its_own(host: str, status: int) -> None:
    async def story() -> None:
        async with open_place() as place:
            place.edge.admission = Admission(Settings(public_url="https://gw.example.com"))
            dana = await place.come()
            headers = {**routing("tools/list"), "host": host}

            answer = await dana.ask(modern("tools/list"), headers)

            assert answer.status == status
            if host.startswith("docs"):
                seen = said(answer)["result"]["tools"]
                assert [each["name"] for each in seen] == ["list_issues", "get__it"]

    run(story())


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_request_without_an_id_is_refused_and_recorded(era: str) -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()
            await dana.begin()
            told = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "docs__x"}}
            routed = {"mcp-session-id": None, **routing("tools/call", "docs__x")}
            before = len(place.crowd.ledger.noted)

            answer = await dana.ask(told, routed if era == "modern" else None)  # type: ignore[arg-type]

            assert answer.status == 400
            assert "'tools/call' is a request and needs an id" in said(answer)["error"]["message"]
            assert [each.mcp_server for each in place.crowd.ledger.noted[before:]] == ["*"]

    run(story())
