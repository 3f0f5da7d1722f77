"""Servers behind pipes that keep no sessions, with callers of both eras."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, children, run, said, session, tool, until
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Server, Sharing, StdioAddress
from torhaus.upstream.pipelink import Limits, PipeLink
from torhaus.upstream.stdio import stdio_opener

SCRIPT = str(Path(__file__).parent / "servers" / "stateless_stdio.py")
PREFIX = "io.modelcontextprotocol/"
META = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {"elicitation": {}}}
LISTEN = {"notifications": {"toolsListChanged": True}, "_meta": META}


def made(*manners, era="auto", sharing=Sharing.PRINCIPAL, start=60.0):
    address = StdioAddress(command=sys.executable, args=(SCRIPT, *manners), era=era)
    server = Server(name="fixture", address=address, sharing=sharing)
    return PipeLink(server, stdio_opener("fixture", address), limits=Limits(start=start))


def story(work, **how):
    async def told():
        link = made(**how)
        try:
            await work(link)
        finally:
            await link.shutdown()

    run(told())


async def heard(link):
    return json.loads(said(await link.request(tool("heard", meta=META), Memo())))


@pytest.mark.parametrize("era", ["auto", "modern"])
@pytest.mark.parametrize("sharing", [Sharing.PRINCIPAL, Sharing.SHARED])
def test_a_stateless_caller_is_relayed_as_it_is(era, sharing):
    async def work(link):
        answer = await link.request(tool("echo", {"a": "ü"}, meta=META, id=b'"x"'), Memo())

        assert json.loads(said(answer)) == {"a": "ü"}
        sent = (await heard(link))[-2]
        assert sent["params"]["_meta"] == META
        assert len(children()) == 1
        assert link.state() == "ready"

    story(work, era=era, sharing=sharing)


def test_it_is_asked_for_a_session_once_and_never_again():
    async def work(link):
        for _ in range(2):
            await link.request(tool("echo", meta=META), Memo())
        await link.request(tool("echo", session=session()), Memo())

        methods = [each["method"] for each in await heard(link)]
        assert methods == ["server/discover", *["tools/call"] * 4]

    story(work)


def test_a_caller_with_a_session_hears_what_the_server_is():
    async def work(link):
        answer = await link.request(
            ask("initialize", {"protocolVersion": "2025-06-18"}, session=session()), Memo()
        )

        result = json.loads(answer.result)
        assert result["protocolVersion"] == "2025-06-18"
        assert result["serverInfo"]["name"] == "stateless"

    story(work)


def test_its_questions_are_put_to_a_caller_with_a_session():
    async def work(link):
        sink, front = Memo(), session()
        call = asyncio.ensure_future(link.request(tool("ask", {}, session=front), sink))
        await until(lambda: "elicitation/create" in sink.methods())
        question = next(each for each in sink.notices if each.method == "elicitation/create")
        reply = b'{"jsonrpc":"2.0","id":%b,"result":{"action":"accept","content":{"word":"ok"}}}'
        await link.post(front, "alice", reply % question.id)

        assert said(await call) == "okopaque"

    story(work)


def test_a_stateless_caller_gets_its_rounds_as_they_come():
    async def work(link):
        answer = await link.request(tool("ask", {}, meta=META), Memo())
        held = json.loads(answer.result)
        params = {"name": "ask", "arguments": {}, "_meta": META}
        params |= {"requestState": held["requestState"]}
        params |= {"inputResponses": {"word": {"action": "accept", "content": {"word": "a"}}}}

        assert held["resultType"] == "input_required"
        assert said(await link.request(ask("tools/call", params), Memo())) == "aopaque"

    story(work)


def test_progress_and_logs_reach_the_call_under_its_own_token():
    async def work(link):
        sink = Memo()
        meta = {**META, "progressToken": "mine", PREFIX + "logLevel": "info"}
        await link.request(tool("steps", meta=meta), sink)

        tokens = [each["params"].get("progressToken") for each in sink.bodies()]
        assert tokens == ["mine", "mine", None]
        assert sink.methods()[-1] == "notifications/message"

    story(work)


def test_each_listener_hears_its_own_announcements_under_its_own_id():
    async def work(link):
        sinks = [Memo(), Memo()]
        listens = [
            asyncio.ensure_future(
                link.request(
                    ask("subscriptions/listen", LISTEN, id=b'"l%d"' % n, timeout=None), sink
                )
            )
            for n, sink in enumerate(sinks)
        ]
        await until(lambda: all(sink.notices for sink in sinks))
        await link.request(tool("grow", meta=META), Memo())
        await until(lambda: all(len(sink.notices) == 3 for sink in sinks))

        for n, sink in enumerate(sinks):
            ids = {each["params"]["_meta"][PREFIX + "subscriptionId"] for each in sink.bodies()}
            assert ids == {f"l{n}"}
            assert sink.methods()[0] == "notifications/subscriptions/acknowledged"
        for each in listens:
            each.cancel()
        await asyncio.wait(listens)
        sent = await heard(link)
        assert [each["method"] for each in sent].count("notifications/cancelled") == 2

    story(work)


def test_a_session_that_listens_hears_of_changes():
    async def work(link):
        front, sink = session(), Memo()
        await link.request(ask("resources/subscribe", {"uri": "x://1"}, session=front), Memo())
        listening = asyncio.ensure_future(link.listen(front, None, sink))
        await until(lambda: sink.established)
        while not sink.notices:
            await link.request(tool("grow", session=front), Memo())
        await until(lambda: "notifications/resources/updated" in sink.methods())

        assert "notifications/tools/list_changed" in sink.methods()
        await link.close(front)
        await listening

    story(work)


def test_who_hangs_up_cancels_the_call():
    async def work(link):
        call = asyncio.ensure_future(link.request(tool("hang", meta=META), Memo()))
        await until(children)
        await link.request(tool("echo", meta=META), Memo())
        call.cancel()
        await asyncio.wait([call])

        assert (await heard(link))[-2]["method"] == "notifications/cancelled"

    story(work)


@pytest.mark.parametrize("sharing", [Sharing.PRINCIPAL, Sharing.SHARED])
def test_it_is_looked_at_without_a_session(sharing):
    async def work(link):
        await link.request(tool("echo", meta=META), Memo())

        assert list((await link.check(5.0)).values()) == [None]
        assert (await heard(link))[-2]["method"] == "server/discover"

    story(work, sharing=sharing)


def test_people_do_not_share_a_process():
    async def work(link):
        for who in ("alice", "bob"):
            await link.request(tool("echo", meta=META, who=who), Memo())

        assert len(children()) == 2

    story(work)


def test_where_sessions_are_configured_the_refusal_is_told():
    async def work(link):
        with pytest.raises(UpstreamError, match="it speaks 2026-07-28 only"):
            await link.request(tool("echo", meta=META), Memo())

    story(work, era="legacy")


def test_a_server_that_is_silent_to_a_session_has_not_started():
    async def work():
        link = made("mute", start=0.5)
        try:
            with pytest.raises(UpstreamError, match=r"did not start within 0\.5 s"):
                await link.request(tool("echo", meta=META), Memo())
        finally:
            await link.shutdown()

    run(work())


def test_a_removed_method_keeps_its_status():
    async def work(link):
        answer = await link.request(ask("ping", {}), Memo())

        assert (answer.status, json.loads(answer.error)["code"]) == (200, -32602)

    story(work)
