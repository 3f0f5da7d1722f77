"""What callers say to servers, and servers to callers beside their answers, is masked."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, CAROL, Window, World, github, limited, run, settled
from tests.torhaus.gate.veiled import (
    BLIND,
    LEAKY,
    MASKED,
    RULE,
    all_of,
    everything,
    rules,
    world,
)
from tests.torhaus.redact.samples import CARD, GITHUB, MAIL
from tests.torhaus.scripted import dumps, late, note, text
from torhaus.gate.masking import obligation
from torhaus.gate.replays import About
from torhaus.mcp.message import CallerError, Notification, Response
from torhaus.model.access import Effect, Policy
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Detached, Sink
from torhaus.model.session import Session

# -- arguments -------------------------------------------------------------------------------------


def test_secrets_in_arguments_do_not_leave_and_personal_data_does():
    async def story() -> None:
        there = world()
        arguments = {"body": f"see {GITHUB}", "assignee": MAIL, "password": 123}

        await there.admit(there.tool("list_issues", arguments, by=BLIND))

        sent = json.loads(there.upstream.calls()[0].params)
        assert sent["arguments"] == {
            "body": "see [redacted:github-token]",
            "assignee": MAIL,
            "password": 0,
        }
        assert sent["name"] == "list_issues"
        assert "io.modelcontextprotocol/protocolVersion" in sent["_meta"]

    run(story())


def test_arguments_of_others_leave_as_they_are():
    async def story() -> None:
        there = world()

        await there.admit(there.tool("list_issues", {"body": GITHUB}, by=ALICE))

        assert json.loads(there.upstream.calls()[0].params)["arguments"] == {"body": GITHUB}

    run(story())


def test_arguments_are_recorded_without_secrets_and_personal_data():
    async def story() -> None:
        there = world()

        await there.admit(there.tool("list_issues", {"q": LEAKY}, by=BLIND))
        await there.admit(there.tool("create_issue", {"q": LEAKY}, by=BLIND))

        done, refused = there.ledger.noted
        assert refused.result.status == "denied"
        for record in (done, refused):
            assert json.loads(bytes(record.parameters)) == {"q": MASKED}
        assert (done.result.redacted, refused.result.redacted) == (1, 2)

    run(story())


def test_arguments_that_cannot_be_checked_go_nowhere():
    async def story() -> None:
        there = world()
        deep: Any = "{}"
        for _ in range(14):
            deep = json.dumps([deep])

        with pytest.raises(CallerError, match="cannot be checked") as caught:
            await there.admit(there.tool("list_issues", {"password": "x", "q": deep}, by=BLIND))

        assert caught.value.id == b"1"
        assert there.upstream.calls() == []

    run(story())


def test_headers_repeat_the_masked_arguments():
    async def story() -> None:
        there = World(github())
        schema = {
            "type": "object",
            "properties": {
                "q": {"type": "string", "x-mcp-header": "Q"},
                "n": {"type": "integer", "x-mcp-header": "N"},
            },
        }
        listed = {"tools": [{"name": "list_issues", "inputSchema": schema}]}
        there.gate.catalogue.learn(there.server, [dumps(listed)], there.clock())
        asking = there.tool("list_issues", {"q": GITHUB, "n": 2}, by=BLIND)
        sent = (("mcp-param-q", GITHUB), ("mcp-param-n", "2"), ("mcp-param-x", GITHUB))

        await there.admit(msgspec.structs.replace(asking, headers=sent))

        (ask,) = there.upstream.calls()
        assert ask.headers == (("mcp-param-q", "[redacted:github-token]"), ("mcp-param-n", "2"))

    run(story())


def test_headers_written_for_a_session_client_repeat_the_masked_arguments():
    async def story() -> None:
        there = World(github())
        schema = {"type": "object", "properties": {"q": {"type": "string", "x-mcp-header": "Q"}}}
        listed = {"tools": [{"name": "list_issues", "inputSchema": schema}]}
        there.gate.catalogue.learn(there.server, [dumps(listed)], there.clock())
        session = there.session(BLIND)

        await there.admit(there.tool("list_issues", {"q": GITHUB}, by=BLIND, session=session))

        (ask,) = there.upstream.calls()
        assert ask.headers == (("mcp-param-q", "[redacted:github-token]"),)

    run(story())


def test_headers_that_repeat_no_argument_say_nothing():
    async def story() -> None:
        there = world()
        asking = there.tool("list_issues", {"q": "x"}, by=BLIND)

        await there.admit(msgspec.structs.replace(asking, headers=(("mcp-param-x", GITHUB),)))

        assert there.upstream.calls()[0].headers == ()

    run(story())


def test_the_name_of_a_resource_is_masked_in_body_and_header_alike():
    async def story() -> None:
        there = world()

        await there.admit(
            there.asking("resources/read", {"uri": f"x://{GITHUB}"}, by=all_of(BLIND))
        )

        (ask,) = there.upstream.calls()
        assert ask.name == "x://[redacted:github-token]"
        assert json.loads(ask.params)["uri"] == ask.name

    run(story())


def test_whoever_approves_a_call_sees_its_arguments_masked():
    async def story() -> None:
        there = world()
        policy = Policy(name="ask first", effect=Effect.REQUIRE_APPROVAL)
        by = limited(BLIND, policies=(policy,), arguments=True)

        waiting = there.begin(there.tool("list_issues", {"q": LEAKY}, by=by))
        await settled()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

        (approval,) = there.approvals.all.values()
        assert json.loads(approval.wanted.arguments) == {"q": MASKED}
        assert GITHUB not in everything(there)

    run(story())


# -- what is said meanwhile ------------------------------------------------------------------------


def test_notices_during_a_call_are_masked():
    async def story() -> None:
        there, front = world(), Window()

        async def chatty(ask: Ask, sink: Sink) -> Answer:
            progress = {"progressToken": CARD, "progress": 1, "message": LEAKY}
            sink.notice(note("notifications/progress", progress))
            sink.notice(note("notifications/message", {"level": "info", "data": {"k": GITHUB}}))
            sink.notice(note("notifications/message", {"level": "info", "data": "fine"}))
            sink.notice(note("notifications/other"))
            return text("done")

        there.upstream.script = chatty

        await there.admit(there.tool("list_issues", by=BLIND), front)

        progress, log, fine, other = (message.get("params") for message in front.messages())
        assert progress == {"progressToken": CARD, "progress": 1, "message": MASKED}
        assert log["data"] == {"k": "[redacted:github-token]"}
        assert fine["data"] == "fine"
        assert other is None
        assert there.ledger.noted[0].result.redacted >= 3

    run(story())


def test_a_question_of_the_server_is_masked_and_its_answer_too():
    async def story() -> None:
        there, front = world(), Window()
        session = there.session(BLIND)

        async def asks(ask: Ask, sink: Sink) -> Answer:
            params = {"message": f"Is {GITHUB} yours?", "requestedSchema": {"type": "object"}}
            sink.notice(note("elicitation/create", params, id=7))
            return text("done")

        there.upstream.script = asks
        await there.admit(there.tool("list_issues", by=BLIND, session=session), front)
        (question,) = front.messages()
        there.rules = rules(BLIND)
        payload = dumps({"action": "accept", "content": {"key": GITHUB, "mail": MAIL}})
        await there.talk.answer(
            there.server, session, BLIND.id, Response(question["id"], "result", payload)
        )

        assert question["params"]["message"] == "Is [redacted:github-token] yours?"
        (posted,) = there.upstream.posted
        content = json.loads(posted)["result"]["content"]
        assert content == {"key": "[redacted:github-token]", "mail": MAIL}

    run(story())


def test_a_clients_notification_is_masked_for_whom_rules_say_so():
    async def story() -> None:
        there = world()
        there.rules = rules(ALICE, BLIND)
        params = {"progressToken": 1, "message": GITHUB}
        message = Notification("notifications/progress", params, dumps(params))

        for by in (BLIND, ALICE):
            await there.talk.notify(there.server, there.session(by), by.id, message)

        masked, whole = (json.loads(body)["params"]["message"] for body in there.upstream.posted)
        assert masked == "[redacted:github-token]"
        assert whole == GITHUB

    run(story())


def test_a_notice_that_cannot_be_checked_is_not_passed_on():
    async def story() -> None:
        there, front = world(), Window()

        async def odd(ask: Ask, sink: Sink) -> Answer:
            broken = b'{"jsonrpc":"2.0","method":"m","params":{"data":"\xff"}}'
            sink.notice(msgspec.structs.replace(note("notifications/message"), body=broken))
            return text("done")

        there.upstream.script = odd
        await there.admit(there.tool("list_issues", by=BLIND), front)

        assert front.messages() == []

    run(story())


# -- other streams ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [BLIND, CAROL], ids=["masked", "whole"])
def test_messages_on_a_listening_stream_are_masked(by: Principal):
    async def story() -> None:
        there, front = world(), Window()

        async def speaks(session: Session, last: str | None, sink: Sink) -> None:
            sink.opened()
            sink.notice(note("notifications/message", {"level": "info", "data": LEAKY}))

        there.upstream.listening = speaks
        await there.talk.listen(there.server, there.session(by), by, None, front)

        (message,) = front.messages()
        assert message["params"]["data"] == (MASKED if by is BLIND else LEAKY)

    run(story())


def test_an_open_stream_is_masked_from_the_moment_rules_say_so():
    async def story() -> None:
        there, front = world(), Window()

        async def speaks(session: Session, last: str | None, sink: Sink) -> None:
            for rules_now in (rules(CAROL), rules(BLIND)):
                there.rules = rules_now
                sink.notice(note("notifications/message", {"level": "info", "data": LEAKY}))

        there.upstream.listening = speaks
        await there.talk.listen(there.server, there.session(CAROL), CAROL, None, front)

        said = [message["params"]["data"] for message in front.messages()]
        assert said == [LEAKY, MASKED]

    run(story())


def test_a_policy_that_masks_some_calls_masks_all_that_belongs_to_none():
    policy = Policy(name="hide", effect=Effect.REDACT, actions=frozenset({"delete"}))

    assert obligation(limited(CAROL, policies=(policy,)), "github", 0.0) == "hide"
    assert obligation(BLIND, "github", 0.0) == RULE
    assert obligation(CAROL, "github", 0.0) is None


@pytest.mark.parametrize("remembered", [True, False], ids=["parked", "replayed"])
@pytest.mark.parametrize(
    "answer",
    [text(LEAKY), Answer(error=dumps({"code": 1, "message": LEAKY}))],
    ids=["result", "error"],
)
def test_an_answer_on_a_resumed_stream_is_masked(remembered: bool, answer: Answer):
    async def story() -> None:
        there, front = world(), Window()
        session = there.session(BLIND)
        if remembered:
            there.upstream.fails(Detached("resume"))
            with pytest.raises(Detached):
                await there.admit(there.tool("list_issues", by=BLIND, session=session))

        async def resumes(session: Session, last: str | None, sink: Sink) -> None:
            sink.notice(late(b"1", answer, event="e1"))

        there.upstream.listening = resumes
        about = About(b"1", "tools/call", "list_issues")
        last = there.talk.seals(session).event("e0", about)
        await there.talk.listen(there.server, session, BLIND, last, front)

        (message,) = front.messages()
        assert MASKED in json.dumps(message)
        assert GITHUB not in json.dumps(message)
        assert sum(count for _, kinds in there.meter.masked for count in kinds.values()) >= 2
        assert [record.result.redacted for record in there.ledger.noted] == [2] * remembered

    run(story())
