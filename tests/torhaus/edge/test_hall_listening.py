"""Listening at `/mcp`: what is told, to whom, and by whom."""

import asyncio
from typing import Any

import msgspec

from tests.torhaus.cast import run, settled
from tests.torhaus.edge.doors import Caller, events, legacy, said
from tests.torhaus.edge.test_hall import ALL, call, names
from tests.torhaus.gate.aggregate.crowd import Place, open_place, tool
from tests.torhaus.scripted import dumps, note
from torhaus.model.outcome import Answer
from torhaus.model.ports import Notice, Sink
from torhaus.model.views import WHOLE, View


def listens(place: Place, name: str) -> list[Sink]:
    """The sinks of whoever listens to a member."""
    sinks: list[Sink] = []

    async def listening(session: Any, last: str | None, sink: Sink) -> None:
        sinks.append(sink)
        sink.opened()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            sinks.remove(sink)

    place.crowd.members[name].listening = listening
    return sinks


async def open_stream(caller: Caller) -> Any:
    caller.send(b"", {"accept": "text/event-stream"}, "GET")
    await caller.client.head()
    stream = caller.client.chunks()
    await anext(stream)
    return stream


def test_a_change_is_told_only_where_it_changes_what_is_seen() -> None:
    async def story() -> None:
        async with open_place() as place:
            sinks, docs = listens(place, "docs"), place.crowd.members["docs"]
            dana, ear = await place.come(), await place.come()
            await dana.begin()
            ear.session = dana.session
            await names(dana)
            stream = await open_stream(ear)
            await settled()

            sinks[0].notice(note("notifications/tools/list_changed"))
            await settled(50)
            docs.tools = [tool("brand_new")]
            sinks[0].notice(note("notifications/tools/list_changed"))
            told = events(await anext(stream))

            assert [each["method"] for each in told] == ["notifications/tools/list_changed"]
            assert "docs__brand_new" in await names(dana)

    run(story())


def test_no_server_answers_a_request_that_went_to_another() -> None:
    async def story() -> None:
        async with open_place() as place:
            sinks = listens(place, "docs")
            dana, ear = await place.come(), await place.come()
            await dana.begin()
            ear.session = dana.session
            held = place.crowd.members["tea"].waits()
            await call(dana, "docs__get__it")
            stream = await open_stream(ear)
            dana.send(legacy("tools/call", {"name": "tea__list_issues"}, 9))
            await held.came()
            forged = b'{"jsonrpc":"2.0","id":9,"result":{"content":[]}}'

            sinks[0].notice(Notice(body=forged, id=b"9"))
            sinks[0].notice(note("notifications/resources/updated", {"uri": "a:b"}))

            told = events(await anext(stream))
            assert [each.get("method") for each in told] == ["notifications/resources/updated"]
            assert told[0]["params"]["uri"] == "docs+a:b"
            held.answer(Answer(result=dumps({"content": [], "true": 1})))
            assert said(await dana.client.answer())["result"]["true"] == 1

    run(story())


def test_other_rights_are_news_and_the_same_ones_none() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana, ear = await place.come(), await place.come()
            await dana.begin()
            ear.session = dana.session
            await names(dana)
            stream = await open_stream(ear)
            same = msgspec.structs.replace(place.rules, version="2")

            place.rules = place.crowd.rules = same
            place.edge.forget()
            fewer = {name: each for name, each in place.rules.servers.items() if name != "tea"}
            place.rules = place.crowd.rules = msgspec.structs.replace(same, servers=fewer)
            place.edge.forget()
            told = [events(await anext(stream))[0]["method"] for _ in range(3)]

            assert told == [
                "notifications/tools/list_changed",
                "notifications/prompts/list_changed",
                "notifications/resources/list_changed",
            ]
            assert await names(dana) == ALL[:4]

    run(story())


def test_a_server_that_left_the_virtual_server_is_heard_no_more() -> None:
    async def story() -> None:
        both = View(name="desk", picks={"docs": WHOLE, "tea": WHOLE})
        async with open_place(views={"desk": both}) as place:
            heard = {name: listens(place, name) for name in ("docs", "tea")}
            dana, ear = await place.come(target="/mcp/desk"), await place.come(target="/mcp/desk")
            await dana.begin()
            ear.session = dana.session
            await call(dana, "docs__get__it")
            await call(dana, "tea__get__it")
            stream = await open_stream(ear)
            await settled()
            assert [len(sinks) for sinks in heard.values()] == [1, 1]

            fewer = View(name="desk", picks={"docs": WHOLE})
            place.rules = msgspec.structs.replace(place.rules, views={"desk": fewer})
            place.crowd.rules = place.rules
            place.edge.revoke(place.crowd.gate.clock())
            await settled()

            assert [len(sinks) for sinks in heard.values()] == [1, 0]
            heard["docs"][0].notice(note("notifications/resources/updated", {"uri": "a:b"}))
            told = events(await anext(stream))
            assert [each["params"]["uri"] for each in told] == ["docs+a:b"]

    run(story())
