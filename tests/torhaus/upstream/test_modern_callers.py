"""Callers of the stateless era on servers that know only sessions."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, children, linked, run, said, tool, until
from torhaus.mcp.eras import PREFIX
from torhaus.model.servers import Sharing

ENVELOPE = {
    PREFIX + "protocolVersion": "2026-07-28",
    PREFIX + "clientCapabilities": {"elicitation": {}},
}
SUBSCRIPTION = PREFIX + "subscriptionId"


def test_discover_is_answered_from_what_the_server_said_at_the_start():
    async def story():
        async with linked() as link:
            answer = await link.request(ask("server/discover", {"_meta": ENVELOPE}), Memo())

            result = json.loads(answer.result)
            assert result["supportedVersions"] == ["2026-07-28"]
            assert result["instructions"] == "be kind"

    run(story())


def test_the_server_sees_no_envelope_and_the_caller_sees_a_modern_result():
    async def story():
        async with linked() as link:
            sink = Memo()
            meta = {**ENVELOPE, "progressToken": "p", "own": 1}
            answer = await link.request(tool("progress", meta=meta), sink)
            heard = json.loads(said(await link.request(tool("heard", meta=ENVELOPE), Memo())))

            result = json.loads(answer.result)
            assert result["resultType"] == "complete"
            assert result["_meta"][PREFIX + "serverInfo"]["name"] == "fixture"
            assert [b["params"]["progressToken"] for b in sink.bodies()] == ["p"] * 3
            assert set(heard[2]["params"]["_meta"]) == {"progressToken", "own"}
            assert heard[0]["params"]["capabilities"] == {"elicitation": {}}

    run(story())


@pytest.mark.parametrize(
    ("sharing", "processes"),
    [(Sharing.SHARED, 1), (Sharing.PRINCIPAL, 2), (Sharing.SESSION, 2)],
)
def test_each_person_has_a_process_unless_it_is_shared(sharing, processes):
    async def story():
        async with linked(sharing=sharing) as link:
            for who in ("alice", "bob", "alice"):
                await link.request(tool("echo", meta=ENVELOPE, who=who), Memo())

            assert len(children()) == processes

    run(story())


def test_an_unknown_method_is_a_404():
    async def story():
        async with linked() as link:
            answer = await link.request(ask("odd/method", {"_meta": ENVELOPE}), Memo())

            assert answer.status == 404
            assert json.loads(answer.error)["code"] == -32601

    run(story())


def test_a_question_is_the_answer_to_a_stateless_caller_who_may_be_asked():
    async def story():
        async with linked() as link:
            sink = Memo()
            asked = json.loads((await link.request(tool("ask", meta=ENVELOPE), sink)).result)

            assert asked["resultType"] == "input_required"
            ((key, question),) = asked["inputRequests"].items()
            assert question["method"] == "elicitation/create"
            params = {
                "name": "ask",
                "_meta": ENVELOPE,
                "requestState": asked["requestState"],
                "inputResponses": {key: {"action": "decline"}},
            }
            answer = await link.request(ask("tools/call", params), sink)
            assert json.loads(answer.result)["resultType"] == "complete"
            assert "decline" in said(answer)
            late = await link.request(ask("tools/call", params), sink)
            assert json.loads(late.error)["code"] == -32602
            assert sink.notices == []

    run(story())


def test_who_offers_nothing_or_shares_a_process_is_not_asked():
    async def story():
        bare = {**ENVELOPE, PREFIX + "clientCapabilities": {}}
        for meta, sharing in ((bare, Sharing.PRINCIPAL), (ENVELOPE, Sharing.SHARED)):
            async with linked(sharing=sharing) as link:
                assert said(await link.request(tool("ask", meta=meta), Memo())) == '"refused"'

    run(story())


@pytest.mark.parametrize(
    ("level", "heard"), [(None, []), ("error", ["error"]), ("debug", ["debug", "error"])]
)
def test_log_messages_come_only_at_the_level_of_the_request(level, heard):
    async def story():
        async with linked() as link:
            sink = Memo()
            meta = ENVELOPE if level is None else {**ENVELOPE, PREFIX + "logLevel": level}
            await link.request(tool("log", meta=meta), sink)

            assert [body["params"]["level"] for body in sink.bodies()] == heard

    run(story())


def test_a_subscription_is_acknowledged_relayed_with_its_id_and_ended_in_order():
    async def story():
        async with linked() as link:
            wanted = {
                "toolsListChanged": True,
                "promptsListChanged": True,
                "resourceSubscriptions": ["x", "file:///a"],
            }
            params = {"notifications": wanted, "_meta": ENVELOPE}
            stream, other = Memo(), Memo()
            listening = asyncio.ensure_future(
                link.request(ask("subscriptions/listen", params, id=b'"sub"', timeout=None), stream)
            )
            await until(lambda: stream.notices)
            await link.request(tool("change", meta=ENVELOPE), other)
            await link.shutdown()
            answer = await listening

            acknowledged, changed, updated = stream.bodies()
            assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
            assert acknowledged["params"] == {
                "_meta": {SUBSCRIPTION: "sub"},
                "notifications": {
                    "toolsListChanged": True,
                    "resourceSubscriptions": ["file:///a", "x"],
                },
            }
            assert changed["method"] == "notifications/tools/list_changed"
            assert changed["params"] == {"_meta": {SUBSCRIPTION: "sub"}}
            assert updated["method"] == "notifications/resources/updated"
            assert updated["params"] == {"uri": "file:///a/b", "_meta": {SUBSCRIPTION: "sub"}}
            assert json.loads(answer.result) == {
                "resultType": "complete",
                "_meta": {SUBSCRIPTION: "sub"},
            }
            assert other.notices == []

    run(story())


def test_a_process_that_somebody_listens_to_is_not_idle():
    async def story():
        async with linked(idle=0.2) as link:
            params = {"notifications": {"toolsListChanged": True}, "_meta": ENVELOPE}
            stream = Memo()
            listening = asyncio.ensure_future(
                link.request(ask("subscriptions/listen", params, timeout=None), stream)
            )
            await until(lambda: stream.notices)
            await asyncio.sleep(0.5)
            assert link.state() == "ready"
            listening.cancel()
            await asyncio.wait([listening])
            await until(lambda: link.state() == "idle")

    run(story())
