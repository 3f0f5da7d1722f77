"""Sessions with a server that outlive its process."""

import asyncio
import re

import pytest

from tests.torhaus.upstream.pipes import (
    Memo,
    ask,
    children,
    heard,
    linked,
    run,
    said,
    session,
    tool,
    until,
)
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Sharing


def test_after_a_crash_the_next_call_gets_a_new_process_that_knows_the_sessions_wishes():
    async def story():
        async with linked() as link:
            front, stream = session(), Memo()
            listening = asyncio.ensure_future(link.listen(front, None, stream))
            await link.request(ask("logging/setLevel", {"level": "error"}, session=front), Memo())
            await link.request(
                ask("resources/subscribe", {"uri": "file:///a"}, session=front), Memo()
            )
            with pytest.raises(UpstreamError):
                await link.request(tool("crash", session=front), Memo())
            messages = await heard(link, front)
            await link.request(tool("change", session=front), Memo())

            methods = [message["method"] for message in messages]
            assert methods == [
                "initialize",
                "notifications/initialized",
                "resources/subscribe",
                "logging/setLevel",
                "tools/call",
            ]
            assert "notifications/resources/updated" in stream.methods()
            listening.cancel()
            await asyncio.wait([listening])

    run(story())


def test_a_server_that_dies_at_the_start_is_left_alone_for_a_while():
    async def story():
        async with linked("die") as link:
            with pytest.raises(UpstreamError, match=r"exit code 3: no configuration found$"):
                await link.request(tool("echo", session=session()), Memo())
            with pytest.raises(UpstreamError) as caught:
                await link.request(tool("echo", session=session()), Memo())

            found = re.search(r"next attempt is possible in (0\.\d) s", str(caught.value))
            assert found is not None
            assert link.state().startswith("down: it stopped with exit code 3")
            await asyncio.sleep(0.6)
            with pytest.raises(UpstreamError, match=r"found$"):
                await link.request(tool("echo", session=session()), Memo())
            with pytest.raises(UpstreamError, match=r"next attempt is possible in (1\.0|0\.\d) s"):
                await link.request(tool("echo", session=session()), Memo())

    run(story())


def test_one_persons_failures_do_not_lock_out_another():
    async def story():
        async with linked("die") as link:
            for who in ("alice", "bob"):
                with pytest.raises(UpstreamError, match=r"found$"):
                    await link.request(tool("echo", session=session(who=who)), Memo())

    run(story())


@pytest.mark.parametrize(
    ("manner", "sentence"),
    [("mute", "did not start within 0.5 s"), ("refuse", "refused to open a session: no session")],
)
def test_a_server_that_opens_no_session_is_stopped(manner, sentence):
    async def story():
        async with linked(manner, start=0.5) as link:
            with pytest.raises(UpstreamError, match=sentence):
                await link.request(tool("echo", session=session()), Memo())

            await until(lambda: not children())

    run(story())


def test_callers_who_come_during_the_start_share_it_and_may_leave():
    async def story():
        async with linked() as link:
            calls = [
                asyncio.ensure_future(link.request(tool("pid", session=session(f"s{n}")), Memo()))
                for n in range(5)
            ]
            await until(lambda: link.state() == "starting")

            calls[0].cancel()
            answers = await asyncio.gather(*calls[1:])

            assert len({said(answer) for answer in answers}) == 1

    run(story())


def test_an_idle_process_is_stopped_and_started_again_when_needed():
    async def story():
        async with linked(idle=0.3) as link:
            front = session()
            first = said(await link.request(tool("pid", session=front), Memo()))
            assert link.state() == "ready"
            await until(lambda: not children())
            assert link.state() == "idle"
            second = said(await link.request(tool("pid", session=front), Memo()))

            assert first != second

    run(story())


def test_a_process_with_a_call_under_way_is_not_idle():
    async def story():
        async with linked(idle=0.3) as link:
            call = tool("slow_progress", meta={"progressToken": 1}, session=session())

            assert said(await link.request(call, Memo())) == "done"

    run(story())


def test_a_call_after_a_restart_of_the_gateway_opens_the_session_from_what_the_client_said():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:
            front = session(capabilities=b'{"roots":{"listChanged":true}}', version="2025-03-26")
            messages = await heard(link, front)

            assert messages[0]["params"] == {
                "protocolVersion": "2025-03-26",
                "capabilities": {"roots": {"listChanged": True}},
                "clientInfo": {"name": "test", "version": "0"},
            }

    run(story())


def test_the_last_subscriber_unsubscribes_upstream():
    async def story():
        async with linked() as link:
            one, two = session("s1"), session("s2")
            for method in ("resources/subscribe", "resources/unsubscribe"):
                for front in (one, two):
                    await link.request(ask(method, {"uri": "u"}, session=front), Memo())
            messages = await heard(link, one)

            methods = [m["method"] for m in messages if m["method"].startswith("resources/")]
            assert methods == ["resources/subscribe"] * 2 + ["resources/unsubscribe"]

    run(story())
