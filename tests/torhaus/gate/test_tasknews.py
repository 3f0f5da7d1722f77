"""News of tasks: to whom they are told, under which ids, and how much of them."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github, limited, person, run
from tests.torhaus.gate.test_tasks import TASK, Working
from tests.torhaus.redact.samples import GITHUB
from tests.torhaus.scripted import dumps, note
from tests.torhaus.witnesses import Window
from torhaus.gate.relay import Relay
from torhaus.gate.tasknews import ACKNOWLEDGED, NEWS, TaskNews
from torhaus.gate.tasks import MOST, RELATED
from torhaus.model.access import Effect, Policy
from torhaus.model.caching import Caching, Invalidation, Selector
from torhaus.model.names import normal
from torhaus.model.outcome import Answer, Answered
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Notice, Sink
from torhaus.policy.scopes import permissions, scoped

DONE = {**TASK, "status": "completed", "result": {"content": [{"type": "text", "text": GITHUB}]}}


def known(made: World, *people: Principal) -> World:
    made.rules = msgspec.structs.replace(made.rules, principals={each.id: each for each in people})
    return made


def listening(made: World, tokens: list[str], by: Principal = ALICE) -> Any:
    wanted = {"notifications": {"toolsListChanged": True, "taskIds": tokens}}
    return made.asking("subscriptions/listen", wanted, by=by)


async def stream(server: Working, tokens: list[str], by: Principal = ALICE) -> tuple[Relay, Window]:
    """What a listener hears on, who asked for news of these."""
    made, window = server.world, Window()
    asking = listening(made, tokens, by)
    relay = made.relay(asking, window)
    relay.scopes, relay.tasks = by.scopes, made.gate.tasks.listened(asking)
    return relay, window


def told(window: Window) -> list[Any]:
    return [each["params"] for each in window.messages()]


def test_news_are_told_of_ones_own_tasks_alone() -> None:
    async def story() -> None:
        server = Working(World())
        made = known(server.world, ALICE, BOB)
        token = await server.starts()
        window = Window()

        async def plays(ask: Ask, sink: Sink) -> Answer:
            asked = json.loads(ask.params)["notifications"]
            sink.notice(note(ACKNOWLEDGED, {"notifications": asked}))
            sink.notice(note(NEWS, {**TASK, "status": "completed"}))
            sink.notice(note(NEWS, {**TASK, "taskId": "t-2"}))
            return Answer(result=b"{}")

        made.upstream.script = plays

        outcome = await made.admit(listening(made, [token, "t-2", "t-1"]), window)

        assert isinstance(outcome, Answered)
        assert json.loads(made.upstream.asked[-1].params)["notifications"]["taskIds"] == ["t-1"]
        heard = told(window)
        assert heard[0]["notifications"] == {"toolsListChanged": True, "taskIds": [token]}
        assert [each["taskId"] for each in heard[1:]] == [token]
        nothing = Window()
        await made.admit(listening(made, [token], BOB), nothing)
        assert len(nothing.messages()) == 1

    run(story())


def test_a_stream_tells_of_the_tasks_that_were_named_for_it_and_of_no_other() -> None:
    async def story() -> None:
        server = Working(World())
        made = known(server.world, ALICE)
        token = await server.starts()
        mine, window = await stream(server, [token])
        others, silent = await stream(server, [])
        for number in range(MOST):  # somebody makes so many that nobody could remember
            made.gate.tasks.known[("github", "bob", f"x-{number}")] = mine.tasks["t-1"]  # type: ignore[index]
        made.gate.tasks.known.pop(("github", ALICE.id, "t-1"))

        for relay in (mine, others):
            relay.notice(note(ACKNOWLEDGED, {"notifications": {"taskIds": ["t-1", "t-2", 3]}}))
            relay.notice(note(NEWS, TASK))

        assert told(window) == [{"notifications": {"taskIds": [token]}}, {**TASK, "taskId": token}]
        assert told(silent) == [{"notifications": {"taskIds": []}}]

    run(story())


def test_a_method_that_is_spelled_otherwise_is_the_same_method() -> None:
    async def story() -> None:
        server = Working(World())
        known(server.world, ALICE)
        token = await server.starts()
        relay, window = await stream(server, [token])
        for inner in ("t-1", "t-2"):
            params = {**TASK, "\u0074askId": inner}
            text = json.dumps({"jsonrpc": "2.0", "method": NEWS, "params": params})
            hidden = text.replace("task", "\\u0074ask").encode()
            relay.notice(Notice(body=hidden, method=NEWS))
        relay.notice(Notice(body=b'{"jsonrpc":"2.0","method":"x","params":[]}', method=NEWS))

        assert [each["taskId"] for each in told(window)] == [token]

    run(story())


def test_whoever_may_not_call_the_tool_any_more_hears_nothing_of_its_tasks() -> None:
    async def story() -> None:
        server = Working(World())
        reader = person("erin", "reader", "github.issues.read")
        made = known(server.world, reader)
        token = await server.starts(reader)
        relay, window = await stream(server, [token], reader)

        relay.notice(note(NEWS, TASK))
        known(made, limited(reader, allows=()))
        relay.notice(note(NEWS, TASK))
        known(made)
        relay.notice(note(NEWS, TASK))

        assert len(told(window)) == 1

    run(story())


def test_a_credential_with_scopes_hears_of_the_tasks_that_it_reaches() -> None:
    async def story() -> None:
        server = Working(World())
        owner = person("erin", "reader", "github.issues.read", "github.resources.read")
        known(server.world, owner)
        token = await server.starts(owner)
        narrow = scoped(owner, permissions(["github:resources:read"]))

        none, _ = await stream(server, [token], narrow)
        relay, window = await stream(server, [token], owner)
        relay.scopes = narrow.scopes  # as if its scopes were others now
        relay.notice(note(NEWS, TASK))

        assert none.tasks == {}
        assert told(window) == []

    run(story())


def test_news_are_masked_as_the_answer_to_the_call_would_be() -> None:
    async def story() -> None:
        server = Working(World())
        policy = Policy(name="hide", effect=Effect.REDACT, types=frozenset({"issues"}))
        seen = limited(ALICE, policies=(policy,))
        known(server.world, seen)
        token = await server.starts(seen)
        relay, window = await stream(server, [token], seen)

        relay.notice(note(NEWS, DONE))

        (news,) = told(window)
        assert news["taskId"] == token
        assert news["result"]["content"][0]["text"] == "[redacted:github-token]"

    run(story())


@pytest.mark.parametrize("status", ["working", "completed"])
def test_what_a_task_made_untrue_is_forgotten_when_its_end_is_told(status: str) -> None:
    async def story() -> None:
        lists = Invalidation(tag="github.list_issues")
        caching = Caching(triggers={normal("create_issue"): (lists,)})
        server = Working(World(github(caching=caching)))
        gate = known(server.world, DANA).gate
        token = await server.starts(DANA, "create_issue")
        relay, _ = await stream(server, [token], DANA)
        untrue: list[Selector] = []
        news = TaskNews(tasks=gate.tasks, masking=gate.masking, forget=untrue.extend)

        told = news.notice(note(NEWS, {**TASK, "status": status}), relay)

        assert told is not None
        assert bool(untrue) is (status == "completed")

    run(story())


def test_a_question_in_the_course_of_a_task_names_it_both_ways() -> None:
    async def story() -> None:
        server = Working(World())
        server.legacy = True
        made = server.world
        session = made.session(ALICE)
        token = await server.starts(session=session)
        params = {"message": "?", "_meta": {RELATED: {"taskId": "t-1"}}}
        asked = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": params}
        notice = Notice(body=dumps(asked), method="elicitation/create", id=b"7")
        hers, his = (
            Relay(Window(), made.talk, made.server, who.id, session) for who in (ALICE, BOB)
        )

        heard = made.talk.task_news.notice(notice, hers)
        answer = dumps({"action": "accept", "_meta": {RELATED: {"taskId": token}}})
        said = made.gate.tasks.said(made.server.name, ALICE.id, answer)

        assert heard is not None
        assert json.loads(heard.body)["params"]["_meta"][RELATED]["taskId"] == token
        assert json.loads(said)["_meta"][RELATED]["taskId"] == "t-1"
        assert made.gate.tasks.said(made.server.name, BOB.id, answer) == answer
        assert made.talk.task_news.notice(notice, his) is notice

    run(story())


def test_news_hold_no_question_that_the_server_may_not_ask() -> None:
    async def story() -> None:
        server = Working(World())
        known(server.world, ALICE)
        token = await server.starts()
        relay, window = await stream(server, [token])
        relay.server = msgspec.structs.replace(relay.server, asks=("roots",))
        asked = {"a": {"method": "roots/list"}, "b": {"method": "sampling/createMessage"}}

        relay.notice(note(NEWS, {**TASK, "status": "input_required", "inputRequests": asked}))

        assert [[*each["inputRequests"]] for each in told(window)] == [["a"]]

    run(story())
