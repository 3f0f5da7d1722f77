"""What a stateless server announces reaches the streams of sessions."""

import asyncio
import contextlib
import json

from tests.torhaus.upstream.pipes import Memo, ask, run, session, until
from tests.torhaus.upstream.servers.http_server import STREAM, chunk, error, event, note, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import linked
from torhaus.upstream.facts import Facts

ALL = Facts(
    discover=b'{"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true}}}'
)
ONLY_URIS = Facts(discover=b'{"capabilities":{"resources":{"subscribe":true}}}')
SUB = "io.modelcontextprotocol/subscriptionId"


class Announcer:
    """Acknowledges every `subscriptions/listen` and keeps it open; `say` tells on the newest."""

    def __init__(self, refuses=0):
        self.refuses = refuses
        self.filters = []
        self.open = []

    async def tool(self, wire, heard):
        assert heard.asked == "subscriptions/listen"
        number = heard.message["id"]
        self.filters.append(heard.message["params"]["notifications"])
        if self.refuses:
            self.refuses -= 1
            wire.say(whole(error(number, -32603, "not now")))
            return
        ack = note("notifications/subscriptions/acknowledged", _meta={SUB: number})
        wire.say(STREAM, chunk(event(ack)))
        self.open.append((wire, number))
        await wire.gone()
        self.open.remove((wire, number))

    def say(self, method, **params):
        wire, number = self.open[-1]
        told = note(method, _meta={SUB: number, "x": 1}, **params)
        wire.say(chunk(event(told, "id: e9")))


@contextlib.asynccontextmanager
async def listening(link, front, sink):
    task = asyncio.ensure_future(link.listen(front, None, sink))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def wish(method, front, uri="r:1"):
    return ask(method, {"uri": uri}, session=front)


def test_a_stream_hears_what_the_server_announces_without_the_marks_of_its_era():
    async def story():
        there = Announcer()
        async with linked(McpServer(eras=("modern",), tool=there.tool).script, ALL) as (_, link):
            front, sink = session(), Memo()
            async with listening(link, front, sink):
                await until(lambda: there.open)
                there.say("notifications/tools/list_changed")
                there.say("notifications/message", level="info")
                await until(lambda: sink.notices)

                assert sink.established
                assert there.filters == [{"toolsListChanged": True}]
                assert sink.bodies() == [
                    {
                        "jsonrpc": "2.0",
                        "method": "notifications/tools/list_changed",
                        "params": {"_meta": {"x": 1}},
                    }
                ]
                assert sink.notices[0].event_id is None
            await until(lambda: not there.open)
            assert len(link._on_modern.hearings) == 0

    run(story())


def test_a_subscription_is_known_to_the_server_before_it_is_answered():
    async def story():
        there = Announcer()
        async with linked(McpServer(eras=("modern",), tool=there.tool).script, ALL) as (_, link):
            front, sink = session(), Memo()
            async with listening(link, front, sink):
                await until(lambda: there.open)
                answer = await link.request(wish("resources/subscribe", front), Memo())

                assert answer.result == b"{}"
                assert there.filters[-1]["resourceSubscriptions"] == ["r:1"]
                there.say("notifications/resources/updated", uri="r:1")
                await until(lambda: sink.notices)
                assert json.loads(sink.notices[0].body)["params"]["uri"] == "r:1"
                await until(lambda: len(there.open) == 1)

                await link.request(wish("resources/unsubscribe", front), Memo())
                assert there.filters[-1] == {"toolsListChanged": True}

    run(story())


def test_a_wish_from_before_the_stream_is_kept_for_it():
    async def story():
        there = Announcer()
        upstream = McpServer(eras=("modern",), tool=there.tool)
        async with linked(upstream.script, ONLY_URIS) as (_, link):
            front = session()
            async with listening(link, session("s2"), Memo()):
                await link.request(wish("resources/subscribe", front), Memo())
                async with listening(link, front, Memo()):
                    await until(lambda: there.open)

                    assert there.filters == [{"resourceSubscriptions": ["r:1"]}]

    run(story())


def test_a_server_without_subscriptions_says_so():
    async def story():
        known = Facts(discover=b'{"capabilities":{"resources":{}}}')
        async with linked(McpServer(eras=("modern",)).script, known) as (server, link):
            answer = await link.request(wish("resources/subscribe", session()), Memo())

            assert json.loads(answer.error)["code"] == -32601
            assert server.heard == []

    run(story())


def test_a_stream_that_ends_is_opened_again():
    async def story():
        there = Announcer(refuses=2)
        async with linked(McpServer(eras=("modern",), tool=there.tool).script, ALL) as (_, link):
            link._on_modern.hearings._pause = 0.01
            async with listening(link, session(), Memo()) as task:
                await until(lambda: there.open)
                there.open[0][0].close()
                await until(lambda: len(there.filters) == 4)

                assert not task.done()

    run(story())


def test_a_second_stream_of_a_session_replaces_the_first():
    async def story():
        there = Announcer()
        async with linked(McpServer(eras=("modern",), tool=there.tool).script, ALL) as (_, link):
            front = session()
            async with listening(link, front, Memo()) as first:
                await until(lambda: there.open)
                async with listening(link, front, Memo()) as second:
                    await asyncio.wait_for(first, 60)

                    assert not second.done()
                    await until(lambda: len(there.open) == 1)

    run(story())


def test_a_session_that_ends_takes_its_stream_along():
    async def story():
        there = Announcer()
        async with linked(McpServer(eras=("modern",), tool=there.tool).script, ALL) as (_, link):
            front = session()
            async with listening(link, front, Memo()) as task:
                await until(lambda: there.open)
                await link.close(front)
                await asyncio.wait_for(task, 60)

                await until(lambda: not there.open)

    run(story())
