"""Tasks: whose they are, what polling them needs, and under which ids."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, MALLORY, World, person, run
from tests.torhaus.scripted import always, dumps
from torhaus.gate.tasks import LIFETIME, RELATED
from torhaus.mcp.message import CallerError
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.outcome import Answer, Answered, Outcome, Refused
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Sink
from torhaus.model.session import Session

ABLE = {
    VERSION_KEY: MODERN,
    CAPABILITIES_KEY: {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}
TASK = {"taskId": "t-1", "status": "working", "ttlMs": 60000}


class Working:
    """A server that makes a task of each call. `says`: what it answers to each other method."""

    def __init__(self, made: World) -> None:
        self.world = made.knows_the_tools()
        self.says: dict[str, Any] = {}
        self.legacy = False
        made.upstream.script = self.plays

    async def plays(self, ask: Ask, sink: Sink) -> Answer:
        if ask.method == "tools/call":
            made = {"task": TASK} if self.legacy else {"resultType": "task", **TASK}
            return Answer(result=dumps(made))
        said = {"resultType": "complete", **TASK, **self.says.get(ask.method, {})}
        return Answer(result=dumps(said))

    async def starts(self, by: Principal = ALICE, tool: str = "list_issues", **more: Any) -> str:
        params = {"name": tool, "arguments": more.pop("arguments", {"repo": "a/b"})}
        if "session" in more:
            params["task"] = {"ttl": 60000}
        else:
            params["_meta"] = ABLE
        outcome = await self.world.admit(self.world.asking("tools/call", params, by=by, **more))
        found = result(outcome)
        token: str = (found["task"] if self.legacy else found)["taskId"]
        return token

    async def asks(
        self, method: str, token: str, by: Principal = ALICE, session: Session | None = None
    ) -> Outcome:
        asking = self.world.asking(method, {"taskId": token}, by=by, session=session)
        return await self.world.admit(asking)


def result(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Answered), outcome
    found: dict[str, Any] = json.loads(outcome.answer.result or b"null")
    return found


@pytest.mark.proves("tasks", client="modern", server="modern")
def test_a_task_is_polled_under_an_id_that_only_its_principal_can_use() -> None:
    async def story() -> None:
        server = Working(World())

        token = await server.starts()
        polled = result(await server.asks("tasks/get", token))

        assert token != "t-1"
        assert polled["taskId"] == token
        ask = server.world.upstream.asked[-1]
        assert (ask.name, json.loads(ask.params)["taskId"]) == ("t-1", "t-1")
        for other in (BOB, DANA, MALLORY):
            with pytest.raises(CallerError, match="not known"):
                await server.asks("tasks/get", token, other)
        for foreign in ("t-1", "", token[:-2] + "AA"):
            with pytest.raises(CallerError, match="not known"):
                await server.asks("tasks/cancel", foreign)

    run(story())


def test_a_task_is_decided_as_its_call_would_be_now() -> None:
    async def story() -> None:
        server = Working(World())
        reader = person("erin", "reader", "github.issues.read")
        token = await server.starts(reader)

        allowed = await server.asks("tasks/get", token, reader)
        gone = msgspec.structs.replace(reader, phases=MALLORY.phases)
        refused = await server.asks("tasks/get", token, gone)

        assert isinstance(allowed, Answered)
        assert isinstance(refused, Refused)
        assert len([a for a in server.world.upstream.asked if a.method == "tasks/get"]) == 1

    run(story())


def test_polling_reads_and_cancelling_is_what_the_call_was() -> None:
    async def story() -> None:
        server = Working(World())
        token = await server.starts(DANA, "create_issue")
        before = len(server.world.ledger.noted)

        await server.asks("tasks/get", token, DANA)
        await server.asks("tasks/cancel", token, DANA)

        left = server.world.ledger.noted[before:]
        said = [(each.phase, each.operation) for each in left]
        assert said == [("", "tasks/get"), ("outcome", "tasks/cancel")]
        assert [each.operation for each in server.world.ledger.intents][-1] == "tasks/cancel"
        shown = json.loads(bytes(left[0].parameters))
        assert shown == {"taskId": "t-1", "tool": "create_issue"}

    run(story())


def test_what_a_task_ends_with_has_its_id_in_all_places() -> None:
    async def story() -> None:
        server = Working(World())
        token = await server.starts()
        meta = {"_meta": {RELATED: {"taskId": "t-1"}}}
        server.says["tasks/get"] = {
            "status": "completed",
            "result": {"content": [{"type": "text", "text": "t-1"}], **meta},
            "inputRequests": {"k": {"method": "elicitation/create", "params": meta}},
        }

        found = result(await server.asks("tasks/get", token))

        assert found["result"]["content"][0]["text"] == "t-1"
        assert found["result"]["_meta"][RELATED]["taskId"] == token
        assert found["inputRequests"]["k"]["params"]["_meta"][RELATED]["taskId"] == token

    run(story())


@pytest.mark.proves("tasks", client="legacy", server="legacy")
def test_a_session_makes_and_reads_tasks_of_the_older_kind() -> None:
    async def story() -> None:
        server = Working(World())
        server.legacy = True
        session = server.world.session(ALICE)
        token = await server.starts(session=session)
        server.says["tasks/result"] = {"content": [], "_meta": {RELATED: {"taskId": "t-1"}}}

        polled = result(await server.asks("tasks/get", token, session=session))
        ended = result(await server.asks("tasks/result", token, session=session))

        assert polled["taskId"] == token
        assert ended["_meta"][RELATED]["taskId"] == token
        with pytest.raises(CallerError, match="not listed"):
            await server.world.admit(server.world.asking("tasks/list", session=session))

    run(story())


@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
def test_what_the_newer_revision_has_no_more_is_not_found(method: str) -> None:
    async def story() -> None:
        server = Working(World())
        token = await server.starts()

        with pytest.raises(CallerError) as caught:
            await server.asks(method, token)

        assert (caught.value.code, caught.value.status) == (-32601, 404)

    run(story())


def test_a_server_does_not_promise_to_list_tasks() -> None:
    async def story() -> None:
        made = World()
        able = {"tasks": {"list": {}, "cancel": {}}, "tools": {}}
        hello = {"protocolVersion": "2025-11-25", "capabilities": able, "serverInfo": {}}
        made.upstream.script = always(Answer(result=dumps(hello)))

        found = result(await made.admit(made.asking("initialize", {})))

        assert found["capabilities"] == {"tasks": {"cancel": {}}, "tools": {}}

    run(story())


def test_a_task_outlives_a_restart_and_ends_after_a_month() -> None:
    async def story() -> None:
        server = Working(World())
        token = await server.starts()
        server.world.gate.tasks.known.clear()

        assert result(await server.asks("tasks/get", token))["taskId"] == token
        server.world.clock.now += LIFETIME + 1
        with pytest.raises(CallerError, match="30 days"):
            await server.asks("tasks/get", token)

    run(story())


def test_long_arguments_do_not_travel_in_an_id() -> None:
    async def story() -> None:
        server = Working(World())

        token = await server.starts(arguments={"repo": "a/b", "text": "x" * 100_000})

        assert len(token) < 400
        assert isinstance(await server.asks("tasks/get", token), Answered)

    run(story())
