"""Listening at `/mcp`: what is told, to whom, and by whom."""

import asyncio
import json
from typing import Any

import msgspec

from tests.torhaus.cast import DANA, limited, run, settled
from tests.torhaus.edge.doors import Caller, events, legacy, modern, routing, said
from tests.torhaus.edge.test_hall import ALL, call, names
from tests.torhaus.gate.aggregate.crowd import Crowd, Place, open_place, tool
from tests.torhaus.scripted import dumps, note
from torhaus.gate.news import ACKNOWLEDGED, SUBSCRIPTION
from torhaus.gate.tasknews import NEWS
from torhaus.mcp.extensions import TASKS
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
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


def test_a_server_that_answers_late_joins_with_a_notice() -> None:
    async def story() -> None:
        async with open_place(Crowd().tells(deadline=0.05)) as place:
            docs = place.crowd.members["docs"]
            answers, script = asyncio.Event(), docs.script

            async def late(ask: Any, sink: Any) -> Answer:
                if ask.method == "tools/list":
                    await answers.wait()
                return await script(ask, sink)

            docs.script = late
            dana, ear = await place.come(), await place.come()
            await dana.begin()
            ear.session = dana.session
            stream = await open_stream(ear)

            first = await names(dana)
            answers.set()
            told = events(await anext(stream))

            assert not any(name.startswith("docs__") for name in first)
            assert [each["method"] for each in told] == ["notifications/tools/list_changed"]
            assert await names(dana) == ALL

    run(story())


def test_a_server_that_was_missing_before_the_stream_joins_too() -> None:
    async def story() -> None:
        async with open_place(Crowd().tells(deadline=0.05)) as place:
            docs = place.crowd.members["docs"]
            script = docs.script

            async def fails(ask: Any, sink: Any) -> Answer:
                raise UpstreamError("it is down")

            dana, ear = await place.come(), await place.come()
            await dana.begin()
            ear.session = dana.session
            docs.script = fails
            first = await names(dana)
            docs.script = script
            stream = await open_stream(ear)

            told = events(await anext(stream))

            assert first == ALL[:2] + ALL[4:]
            assert [each["method"] for each in told] == ["notifications/tools/list_changed"]

    run(story())


def task_listening(caller: Caller, tasks: list[str]) -> None:
    able = {CAPABILITIES_KEY: {"extensions": {TASKS: {}}}}
    body = modern("subscriptions/listen", {"notifications": {"taskIds": tasks}}, "L")
    body["params"]["_meta"] |= able
    caller.send(body, routing("subscriptions/listen"))


async def making_tasks(ask: Ask, sink: Sink) -> Answer:
    """A server that makes a task of each call and tells of each at once, and then no more."""
    if ask.method == "tools/call":
        return Answer(result=dumps({"resultType": "task", "taskId": "t-1", "status": "working"}))
    if ask.method == "tools/list":
        return Answer(result=dumps({"tools": [tool("get__it")]}))
    sink.notice(note(ACKNOWLEDGED, json.loads(ask.params)))
    sink.notice(note(NEWS, {"taskId": "t-1", "status": "working", "_meta": {SUBSCRIPTION: "x"}}))
    await asyncio.get_running_loop().create_future()
    return Answer(result=b"{}")


async def task_made(caller: Caller) -> str:
    body = modern("tools/call", {"name": "docs__get__it", "arguments": {}})
    body["params"]["_meta"] |= {CAPABILITIES_KEY: {"extensions": {TASKS: {}}}}
    made = said(await caller.ask(body, routing("tools/call", "docs__get__it")))
    task_id: str = made["result"]["taskId"]
    return task_id


def test_news_of_tasks_end_in_order_when_access_does() -> None:
    async def story() -> None:
        async with open_place() as place:
            place.crowd.rules = place.rules
            place.crowd.members["docs"].script = making_tasks
            dana = await place.come()
            task = await task_made(dana)

            task_listening(dana, [task, task + "x"])
            await dana.client.head()
            stream = dana.client.chunks()
            ack, news = [events(await anext(stream))[0] for _ in range(2)]
            less = limited(DANA, allows=())
            people = {**place.rules.principals, DANA.id: less}
            keys = {key: people[who.id] for key, who in place.rules.keys.items()}
            place.rules = msgspec.structs.replace(place.rules, principals=people, keys=keys)
            place.crowd.rules = place.rules
            place.edge.revoke(place.crowd.gate.clock())
            last = events(await anext(stream))[0]

            assert ack["params"] == {
                "notifications": {"taskIds": [task]},
                "_meta": {SUBSCRIPTION: "L"},
            }
            assert news["params"] == {
                "taskId": task,
                "status": "working",
                "_meta": {SUBSCRIPTION: "L"},
            }
            assert (last["id"], last["result"]["_meta"]) == ("L", {SUBSCRIPTION: "L"})
            assert last["result"]["resultType"] == "complete"
            assert place.edge.many.following == set()

    run(story())


def test_news_of_tasks_for_whoever_takes_none_are_refused_in_the_protocols_words() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()
            body = modern("subscriptions/listen", {"notifications": {"taskIds": ["docs+x"]}})

            answer = await dana.ask(body, routing("subscriptions/listen"))

            assert answer.status == 400
            error = said(answer)["error"]
            assert error["code"] == -32021
            assert error["data"] == {"requiredCapabilities": {"extensions": {TASKS: {}}}}

    run(story())
