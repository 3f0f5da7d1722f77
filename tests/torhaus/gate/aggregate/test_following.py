"""One subscription to all servers, and what is said on it."""

import asyncio
import json
from typing import Any

from tests.torhaus.cast import DANA, run, settled
from tests.torhaus.gate.aggregate.crowd import Crowd
from tests.torhaus.scripted import note
from tests.torhaus.witnesses import Window
from torhaus.gate.aggregate.following import ACKNOWLEDGED, Following, nobody
from torhaus.mcp.message import Request, encode
from torhaus.mcp.methods import UPDATED
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.policy.scopes import permissions, scoped

TOOLS = "notifications/tools/list_changed"
SUB = "io.modelcontextprotocol/subscriptionId"
FOR_EVER = 60.0


class Scene:
    """Servers that acknowledge whatever they are asked for, but for those in `mute` and `lost`."""

    def __init__(self, *, deadline: float = FOR_EVER, **wanted: Any) -> None:
        self.crowd = Crowd().tells(deadline=deadline)
        self.window = Window()
        self.sinks: dict[str, Sink] = {}
        self.asked: list[tuple[str, Any]] = []
        self.banned: set[tuple[str, str]] = set()
        self.mute: set[str] = set()
        self.lost: set[str] = set()
        self.breaks: dict[str, asyncio.Future[None]] = {}
        for name, member in self.crowd.members.items():
            member.script = self.script(name)
        params = {"notifications": wanted}
        self.following = Following(
            many=self.crowd.many,
            guest=self.crowd.guest(),
            front=nobody(),
            stream=self.window,
            request=Request(b'"s"', "subscriptions/listen", params, encode(params)),
            may=lambda server: (server.name, "") not in self.banned,
            renewed=lambda rules: rules.principals.get(self.crowd.guest().caller.id),
            reads=lambda server, uri: (server.name, uri) not in self.banned,
        )

    def script(self, name: str) -> Any:
        async def listens(ask: Ask, sink: Sink) -> Answer:
            if name in self.lost:
                raise UpstreamError("it is down")
            wanted = json.loads(ask.params)["notifications"]
            self.asked.append((name, wanted))
            self.sinks[name] = sink
            if name not in self.mute:
                sink.notice(note(ACKNOWLEDGED, {"notifications": wanted, "_meta": {SUB: "own"}}))
            self.breaks[name] = asyncio.get_running_loop().create_future()
            try:
                await self.breaks[name]
            finally:
                del self.sinks[name]
            return Answer(result=b"{}")

        return listens

    async def begin(self) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self.following.follow())
        await settled()
        return task

    async def end(self, task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.wait([task])
        await settled()

    def lose(self, name: str) -> None:
        """The server goes while it is heard, and stays away."""
        self.lost.add(name)
        self.breaks[name].set_exception(UpstreamError("it went"))

    def said(self) -> list[Any]:
        return self.window.messages()


def test_the_acknowledgement_is_first_and_nothing_is_lost_that_came_before():
    async def story() -> None:
        scene = Scene(resourceSubscriptions=["docs+x://a", "tea+x://b"])
        scene.mute.add("tea")
        task = await scene.begin()
        scene.sinks["docs"].notice(note(UPDATED, {"uri": "x://a", "_meta": {SUB: "own"}}))
        assert scene.said() == []

        granted = {"notifications": {"resourceSubscriptions": ["x://b"]}}
        scene.sinks["tea"].notice(note(ACKNOWLEDGED, granted))
        await settled()

        ack, updated = scene.said()
        assert ack["params"] == {
            "notifications": {"resourceSubscriptions": ["docs+x://a", "tea+x://b"]},
            "_meta": {SUB: "s"},
        }
        assert updated["params"] == {"uri": "docs+x://a", "_meta": {SUB: "s"}}
        assert sorted(scene.asked, key=str) == [
            ("docs", {"resourceSubscriptions": ["x://a"]}),
            ("tea", {"resourceSubscriptions": ["x://b"]}),
        ]
        await scene.end(task)
        assert scene.sinks == {}
        assert scene.crowd.many.following == set()

    run(story())


def test_a_server_that_is_silent_or_lost_holds_up_nobody():
    async def story() -> None:
        scene = Scene(
            deadline=0.05,
            toolsListChanged=True,
            resourceSubscriptions=["docs+x://a", "tea+x://b", "github+x://c"],
        )
        scene.mute.add("tea")
        scene.lost.add("docs")
        task = await scene.begin()
        await asyncio.sleep(0.1)

        assert [each["params"]["notifications"] for each in scene.said()] == [
            {"toolsListChanged": True, "resourceSubscriptions": ["github+x://c"]}
        ]
        assert not task.done()
        await scene.end(task)

    run(story())


def test_only_what_was_asked_for_is_said():
    async def story() -> None:
        scene = Scene(promptsListChanged=True)
        task = await scene.begin()
        for method in (TOOLS, UPDATED, "notifications/message", "notifications/prompts/x"):
            scene.sinks["docs"].notice(note(method, {"uri": 7}))
        scene.following.say(TOOLS)
        await settled()
        assert len(scene.said()) == 1

        scene.following.say("notifications/prompts/list_changed")

        assert scene.said()[1]["params"] == {"_meta": {SUB: "s"}}
        await scene.end(task)

    run(story())


def test_who_may_not_hear_something_any_more_hears_the_rest():
    async def story() -> None:
        scene = Scene(resourceSubscriptions=["docs+x://a", "docs+x://b", "tea+x://c"])
        task = await scene.begin()
        scene.banned |= {("docs", "x://b"), ("tea", "")}

        scene.following.recheck()
        await settled()

        assert set(scene.sinks) == {"docs"}
        assert scene.asked[-1] == ("docs", {"resourceSubscriptions": ["x://a"]})
        scene.banned.clear()
        scene.following.recheck()
        await settled()
        assert set(scene.sinks) == {"docs", "tea"}
        assert len(scene.said()) == 1
        await scene.end(task)

    run(story())


def test_a_credential_with_scopes_hears_nothing_beyond_them_after_a_reload():
    async def story() -> None:
        scene = Scene(toolsListChanged=True)
        few = scoped(DANA, permissions(["docs:read"]))
        scene.following.renewed = lambda rules: few

        task = await scene.begin()
        scene.following.reruled()
        scene.following.recheck()
        await settled()

        assert {name for name, _ in scene.asked} == {"docs"}
        scene.following.renewed = lambda rules: DANA
        scene.following.reruled()
        await settled()
        assert {name for name, _ in scene.asked} == {"docs", "github", "tea"}
        await scene.end(task)

    run(story())
