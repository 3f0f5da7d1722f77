"""News of tasks for a client of many servers: whose, under which ids, and until when."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, DANA, MALLORY, limited, run, settled
from tests.torhaus.gate.aggregate.test_following import SUB, Scene
from tests.torhaus.scripted import dumps, note
from torhaus.gate.aggregate.following import ACKNOWLEDGED
from torhaus.gate.tasknews import NEWS
from torhaus.gate.tasks import LIFETIME
from torhaus.mcp import codes
from torhaus.mcp.extensions import TASKS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.people import Principal

ABLE = {CAPABILITIES_KEY: {"extensions": {TASKS: {}}}}
DONE = {
    "taskId": "t-1",
    "status": "completed",
    "result": {"content": [{"type": "resource_link", "uri": "x://a", "name": "a"}]},
    "_meta": {SUB: "own", "kept": 1},
}


class TaskScene(Scene):
    """Dana made tasks at all three servers, which all call the ids the same."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.know(DANA)

    def know(self, *people: Principal) -> None:
        known = {each.id: each for each in people}
        self.crowd.rules = msgspec.structs.replace(self.crowd.rules, principals=known)

    def made(self, server: str, task_id: str, by: Principal = DANA) -> str:
        """The id that the client has of a task there."""
        params = {"name": "list_issues", "arguments": {}, "_meta": ABLE}
        request = Request(b"7", "tools/call", params, encode(params))
        asking = self.crowd.guest(by).asking(request, self.crowd.servers[server], None)
        result = dumps({"resultType": "task", "taskId": task_id})
        token = json.loads(self.crowd.gate.tasks.answered(asking, result))["taskId"]
        return f"{server}+{token}"

    def wants(self, *ids: object, meta: Any = ABLE, **more: Any) -> "TaskScene":
        params = {"notifications": {"taskIds": list(ids), **more}, "_meta": meta}
        self.following.request = Request(b'"s"', "subscriptions/listen", params, encode(params))
        return self

    def told(self) -> Any:
        """What was acknowledged of tasks."""
        return self.said()[0]["params"]["notifications"].get("taskIds", [])


def test_each_server_is_asked_for_its_own_and_tells_under_the_names_they_have_here() -> None:
    async def story() -> None:
        scene = TaskScene()
        one, two, other = (
            scene.made(*each) for each in (("docs", "t-1"), ("docs", "t-2"), ("tea", "t-1"))
        )
        task = await scene.wants(one, other, two, resourceSubscriptions=["github+x://c"]).begin()

        scene.sinks["docs"].notice(note(NEWS, DONE))
        scene.sinks["tea"].notice(note(NEWS, {"taskId": "t-1", "status": "working"}))

        assert sorted(scene.asked, key=str) == [
            ("docs", {"taskIds": ["t-1", "t-2"]}),
            ("github", {"resourceSubscriptions": ["x://c"]}),
            ("tea", {"taskIds": ["t-1"]}),
        ]
        ack, done, working = (each["params"] for each in scene.said())
        assert ack["notifications"]["taskIds"] == sorted([one, two, other])
        assert done["taskId"] == one
        assert done["_meta"] == {SUB: "s", "kept": 1}
        assert done["result"]["content"][0]["uri"] == "docs+x://a"
        assert working == {"taskId": other, "status": "working", "_meta": {SUB: "s"}}
        await scene.end(task)
        assert scene.sinks == {}

    run(story())


def test_what_is_not_the_callers_is_not_granted_and_its_server_not_asked() -> None:
    async def story() -> None:
        scene = TaskScene()
        own, old = scene.made("docs", "t-1"), scene.made("docs", "t-2")
        alices = scene.made("tea", "t-1", ALICE)
        turned = own[:-2] + ("A" if own[-2] != "A" else "B") + own[-1]
        elsewhere = "tea+" + own.partition("+")[2]
        strange = ("t-1", "docs+t-1", "docs+", "nobody+x", 7, None, {"a": 1})
        scene.wants(own, alices, turned, elsewhere, *strange)

        task = await scene.begin()

        assert scene.told() == [own]
        assert scene.asked == [("docs", {"taskIds": ["t-1"]})]
        scene.sinks["docs"].notice(note(NEWS, {"taskId": "t-2", "status": "working"}))
        assert len(scene.said()) == 1
        await scene.end(task)
        late = TaskScene()
        late.crowd.clock.now += LIFETIME + 1
        task = await late.wants(old).begin()
        assert (late.told(), late.asked) == ([], [])
        await late.end(task)

    run(story())


def test_a_client_that_takes_no_tasks_is_told_what_it_lacks() -> None:
    async def story() -> None:
        for meta in ({}, {CAPABILITIES_KEY: {"extensions": {}}}, {CAPABILITIES_KEY: 7}):
            scene = TaskScene()
            scene.wants(scene.made("docs", "t-1"), meta=meta)

            with pytest.raises(CallerError) as caught:
                await scene.following.follow()

            error = caught.value
            assert (error.code, error.status) == (codes.MISSING_CAPABILITY, 400)
            needed = {"requiredCapabilities": {"extensions": {TASKS: {}}}}
            assert json.loads(error.data or b"") == needed
            assert (scene.asked, scene.said()) == ([], [])
        scene = TaskScene().wants(meta={}, toolsListChanged=True)  # it wants news of none
        await scene.end(await scene.begin())

    run(story())


def test_only_granted_tasks_are_told_of_and_later_words_grant_none() -> None:
    async def story() -> None:
        scene = TaskScene(deadline=0.05)
        first, second, slow = (
            scene.made(*each) for each in (("docs", "t-1"), ("docs", "t-2"), ("tea", "t-1"))
        )
        scene.mute |= {"docs", "tea"}
        task = await scene.wants(first, second, slow).begin()
        scene.sinks["docs"].notice(note(ACKNOWLEDGED, {"notifications": {"taskIds": ["t-1", "x"]}}))
        scene.sinks["docs"].notice(note(NEWS, DONE))
        await asyncio.sleep(0.1)

        for name in ("tea", "docs"):
            both = {"notifications": {"taskIds": ["t-1", "t-2"]}}
            scene.sinks[name].notice(note(ACKNOWLEDGED, both))
            scene.sinks[name].notice(note(NEWS, {"taskId": "t-2", "status": "working"}))
        scene.sinks["tea"].notice(note(NEWS, {"taskId": "t-1", "status": "working"}))
        scene.sinks["docs"].notice(note(NEWS + "/created", {"taskId": "t-1"}))

        assert scene.told() == [first]
        assert [each["params"]["taskId"] for each in scene.said()[1:]] == [first]
        scene.lose("tea")
        await settled()
        assert not task.done()  # nobody relied on it
        await scene.end(task)

    run(story())


def test_where_granted_news_break_off_the_whole_ends_for_there_would_be_a_gap() -> None:
    async def story() -> None:
        scene = TaskScene()
        scene.wants(scene.made("docs", "t-1"), toolsListChanged=True)
        task = await scene.begin()
        assert set(scene.sinks) == {"docs", "github", "tea"}
        scene.lose("tea")  # of which no task was asked for
        await settled()
        assert not task.done()

        scene.lose("docs")
        await asyncio.wait([task])
        await settled()

        assert task.exception() is None
        assert scene.sinks == {}
        assert scene.crowd.many.following == set()

    run(story())


@pytest.mark.parametrize("how", ["tool", "server", "person", "time"])
def test_access_that_ends_ends_the_news(how: str) -> None:
    async def story() -> None:
        scene = TaskScene()
        scene.wants(scene.made("docs", "t-1"))
        task = await scene.begin()
        scene.following.recheck()
        await settled()
        assert scene.asked == [("docs", {"taskIds": ["t-1"]})]
        assert not task.done()

        match how:
            case "tool":
                scene.know(limited(DANA, allows=()))
            case "server":
                scene.banned.add(("docs", ""))
            case "person":
                scene.know(msgspec.structs.replace(DANA, phases=MALLORY.phases))
            case _:
                scene.crowd.clock.now += LIFETIME + 1
        if "docs" in scene.sinks and how in ("tool", "person"):
            scene.sinks["docs"].notice(note(NEWS, DONE))
        scene.following.recheck()
        await asyncio.wait([task], timeout=1)
        await settled()

        assert task.done()
        assert scene.sinks == {}
        assert len(scene.said()) == 1

    run(story())
