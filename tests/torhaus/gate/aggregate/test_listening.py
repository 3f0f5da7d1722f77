"""All servers' streams in one."""

import asyncio
from itertools import islice
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import run, settled
from tests.torhaus.gate.aggregate.crowd import Crowd, tool
from tests.torhaus.gate.aggregate.test_fronts import session
from tests.torhaus.scripted import note
from tests.torhaus.upstream.pipes import until
from tests.torhaus.witnesses import Window
from torhaus.gate.aggregate.listening import Listening, Shared, ever
from torhaus.mcp.message import CallerError
from torhaus.mcp.methods import UPDATED
from torhaus.model.ports import NoStream, Sink, UpstreamError
from torhaus.model.servers import Era, Server
from torhaus.model.views import Pick, View
from torhaus.policy.globs import compile_glob


class Scene:
    def __init__(self) -> None:
        self.crowd = Crowd()
        self.front = self.crowd.many.fronts.of(session(self.crowd))
        self.window = Window()
        self.sinks: dict[str, list[Sink]] = {}
        self.banned: set[str] = set()
        for name, member in self.crowd.members.items():
            member.listening = self.listening(name)
        self.listening_now = Listening(
            many=self.crowd.many,
            guest=self.crowd.guest(era=Era.LEGACY, front=self.front),
            front=self.front,
            stream=self.window,
            may=lambda server: server.name not in self.banned,
            renewed=lambda rules: rules.principals.get(self.crowd.guest().caller.id),
        )

    def listening(self, name: str) -> Any:
        async def listens(session: object, last: str | None, sink: Sink) -> None:
            self.sinks.setdefault(name, []).append(sink)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.sinks[name].remove(sink)

        return listens

    def server(self, name: str) -> Server:
        return self.crowd.servers[name]

    def uses(self, name: str) -> None:
        self.crowd.many.fronts.member(self.front, self.server(name))


def test_it_hears_servers_in_use_and_those_that_come_into_use():
    async def story() -> None:
        scene = Scene()
        scene.uses("docs")
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()
        scene.uses("tea")
        await settled()

        assert {name for name, sinks in scene.sinks.items() if sinks} == {"docs", "tea"}
        assert scene.front.session.streams == 1
        task.cancel()
        await asyncio.wait([task])
        await settled()
        assert not any(scene.sinks.values())
        assert (scene.front.streams, scene.front.opens) == ([], [])

    run(story())


def test_it_stops_hearing_whom_the_caller_may_not_hear():
    async def story() -> None:
        scene = Scene()
        for name in ("docs", "tea"):
            scene.uses(name)
        scene.banned.add("tea")
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()
        assert list(scene.sinks) == ["docs"]

        scene.banned.add("docs")
        scene.listening_now.recheck()
        await settled()

        assert not any(scene.sinks.values())
        task.cancel()

    run(story())


def test_it_hears_a_server_again_that_has_come_back():
    async def story() -> None:
        scene = Scene()
        for name in ("docs", "tea"):
            scene.uses(name)
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()
        known = scene.crowd.servers.pop("tea")
        scene.banned.add("docs")
        scene.listening_now.recheck()
        await settled()
        assert not any(scene.sinks.values())

        scene.crowd.servers["tea"] = known
        scene.banned.clear()
        scene.listening_now.recheck()
        scene.listening_now.recheck()
        await settled()

        assert {name: len(sinks) for name, sinks in scene.sinks.items()} == {"docs": 1, "tea": 1}
        task.cancel()

    run(story())


def test_a_stream_is_resumed_at_the_server_it_is_of():
    async def story() -> None:
        scene = Scene()
        tea = scene.crowd.many.fronts.peek(scene.front, scene.server("tea"))
        token = scene.crowd.talk.seals(tea).event("e-7")

        task = asyncio.ensure_future(scene.listening_now.listen(token))
        await settled()

        assert scene.crowd.members["tea"].resumed == ["e-7"]
        assert scene.crowd.members["docs"].resumed == []
        task.cancel()
        with pytest.raises(CallerError, match="not of this session"):
            await Scene().listening_now.listen("nonsense")

    run(story())


def test_a_resumed_stream_ends_with_the_right_to_its_server():
    async def story() -> None:
        scene = Scene()
        tea = scene.crowd.many.fronts.peek(scene.front, scene.server("tea"))
        token = scene.crowd.talk.seals(tea).event("e-7")
        task = asyncio.ensure_future(scene.listening_now.listen(token))
        await settled()
        assert len(scene.sinks["tea"]) == 1

        scene.banned.add("tea")
        scene.front.recheck()
        await settled()

        assert not scene.sinks["tea"]
        assert task.cancelled()
        assert scene.front.resumed == []

    run(story())


def test_a_flood_of_changes_is_no_flood_of_lists():
    async def story() -> None:
        scene = Scene()
        docs = scene.crowd.members["docs"]
        scene.front.shown["docs", "tools/list"] = b"shown"
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()

        for _ in range(20):
            scene.front.changed("docs", "notifications/tools/list_changed")
            await settled(20)

        assert docs.methods().count("tools/list") == 1
        assert len(scene.window.events) == 1
        task.cancel()
        await asyncio.wait([task])

    run(story())


def test_what_changes_while_it_is_looked_at_is_looked_at_again():
    async def story() -> None:
        scene = Scene()
        docs = scene.crowd.members["docs"]
        scene.front.shown["docs", "tools/list"] = b"shown"
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()

        for _ in range(2):
            scene.front.changed("docs", "notifications/tools/list_changed")
            await settled(20)
        docs.tools = [tool("brand_new")]
        await until(lambda: len(scene.window.events) == 2)

        assert docs.methods().count("tools/list") == 2
        task.cancel()
        await asyncio.wait([task])

    run(story())


def test_a_server_without_a_stream_is_not_asked_again():
    async def story() -> None:
        scene = Scene()

        async def none(session: object, last: str | None, sink: Sink) -> None:
            raise NoStream("no")

        scene.crowd.members["docs"].listening = none
        scene.uses("docs")
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()

        assert scene.crowd.members["docs"].resumed == [None]
        assert not task.done()
        task.cancel()

    run(story())


def test_a_broken_stream_breaks_no_other():
    async def story() -> None:
        scene = Scene()

        async def broken(session: object, last: str | None, sink: Sink) -> None:
            raise UpstreamError("gone")

        scene.crowd.members["docs"].listening = broken
        for name in ("docs", "tea"):
            scene.uses(name)
        task = asyncio.ensure_future(scene.listening_now.listen(None))
        await settled()
        scene.sinks["tea"][0].notice(note("notifications/message", {"level": "info", "data": 1}))

        assert len(scene.window.events) == 1
        task.cancel()

    run(story())


def test_each_server_has_a_throttle_of_its_own():
    slowed: list[str] = []
    window = Window()
    shared = Shared(window)
    one, other = shared.share(), shared.share()
    one.throttle = lambda on: slowed.append(f"one {on}")
    other.throttle = lambda on: slowed.append(f"other {on}")

    assert window.throttle is not None
    window.throttle(True)
    one.throttle = None
    window.throttle(False)

    assert sorted(slowed) == ["one True", "other False", "other True"]


def test_whoever_waits_for_a_server_never_gives_up():
    pauses = ever((1.0, 5.0))

    assert list(islice(pauses, 4)) == [1.0, 5.0, 5.0, 5.0]
    assert list(islice(pauses, 100_000, 100_001)) == [5.0]


@pytest.mark.parametrize("resume", [False, True])
def test_a_resource_that_leaves_the_view_is_heard_of_no_more(resume: bool) -> None:
    async def story() -> None:
        scene = Scene()
        scene.uses("docs")
        last = None
        if resume:
            member = scene.crowd.many.fronts.member(scene.front, scene.server("docs"))
            last = scene.crowd.talk.seals(member).event("7")
        task = asyncio.ensure_future(scene.listening_now.listen(last))
        await settled()
        (sink,) = scene.sinks["docs"]
        sink.notice(note(UPDATED, {"uri": "x://a"}))
        assert [each["params"]["uri"] for each in scene.window.messages()] == ["docs+x://a"]

        narrow = View(picks={"docs": Pick(resources=(compile_glob("x://b"),))})
        scene.crowd.rules = msgspec.structs.replace(scene.crowd.rules, views={"": narrow})
        scene.crowd.many.forget()
        for uri in ("x://a", "x://b"):
            sink.notice(note(UPDATED, {"uri": uri}))

        told = [each for each in scene.window.messages() if each["method"] == UPDATED]
        assert [each["params"]["uri"] for each in told] == ["docs+x://a", "docs+x://b"]
        task.cancel()
        await asyncio.wait([task])

    run(story())
