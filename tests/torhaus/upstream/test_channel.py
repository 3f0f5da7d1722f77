"""Calls on one connection: their ids, tokens, times and ends."""

import asyncio
import contextlib
import itertools
import json

import pytest
from structlog.testing import capture_logs

from tests.torhaus.upstream.pipes import (
    Memo,
    heard,
    linked,
    run,
    said,
    secret,
    session,
    tool,
    until,
)
from torhaus.model.ports import Notice, UpstreamError
from torhaus.model.servers import Sharing
from torhaus.upstream.channel import GARBAGE, Channel
from torhaus.upstream.envelope import Fields


def test_request_ids_of_callers_never_meet():
    async def story():
        async with linked(sharing=Sharing.SHARED) as link:
            fronts = [session(f"s{n}", f"p{n}") for n in range(20)]
            answers = await asyncio.gather(
                *(
                    link.request(tool("echo", n, session=front, id=b'"same"'), Memo())
                    for n, front in enumerate(fronts)
                )
            )

            assert [said(answer) for answer in answers] == [str(n) for n in range(20)]

    run(story())


@pytest.mark.parametrize("token", ["a-token", 7, 10**18, ""])
def test_progress_comes_with_the_callers_own_token(token):
    async def story():
        async with linked() as link:
            sink = Memo()
            answer = await link.request(
                tool("progress", meta={"progressToken": token, "x": 1}, session=session()), sink
            )

            tokens = [body["params"]["progressToken"] for body in sink.bodies()]
            assert tokens == [token] * 3
            assert isinstance(json.loads(said(answer)), int)
            assert sink.bodies()[0]["params"]["note"] == "ä"

    run(story())


def test_progress_nobody_asked_for_is_dropped():
    async def story():
        async with linked() as link:
            sink = Memo()
            await link.request(tool("progress", session=session()), sink)

            assert sink.notices == []

    run(story())


def test_progress_begins_the_time_of_a_call_again():
    async def story():
        async with linked() as link:
            front = session()
            await link.request(tool("echo", session=front), Memo())
            call = tool("slow_progress", meta={"progressToken": 1}, session=front, timeout=1.0)

            assert said(await link.request(call, Memo())) == "done"

    run(story())


def test_a_silent_server_is_given_up_and_told_so():
    async def story():
        async with linked() as link:
            front = session()
            with pytest.raises(UpstreamError, match=r"did not answer within 0\.2 s"):
                await link.request(tool("hang", session=front, timeout=0.2), Memo())

    run(story())


def test_cancelling_the_coroutine_cancels_the_call_upstream():
    async def story():
        async with linked() as link:
            front = session()
            sink = Memo()
            call = tool("ask", session=front)
            task = asyncio.ensure_future(link.request(call, sink))
            await until(lambda: sink.notices)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            messages = await heard(link, front)

            sent = next(m for m in messages if m.get("params", {}).get("name") == "ask")
            cancelled = next(m for m in messages if m.get("method") == "notifications/cancelled")
            assert cancelled["params"] == {"requestId": sent["id"]}
            # The open question is closed too, or the server would wait for ever.
            assert next(m for m in messages if m.get("id") == "q-1")["error"]["code"] == -32000

    run(story())


def test_a_cancellation_by_the_caller_is_translated_and_ends_its_call():
    async def story():
        async with linked() as link:
            alice, other = session("s1"), session("s2")
            sink = Memo()
            task = asyncio.ensure_future(link.request(tool("ask", session=alice, id=b'"x"'), sink))
            await until(lambda: sink.notices)
            cancel = (
                b'{"jsonrpc":"2.0","method":"notifications/cancelled",'
                b'"params":{"requestId":"x","reason":"no \\u00fc"}}'
            )
            await link.post(other, "alice", cancel)
            await link.post(alice, "alice", cancel)
            with pytest.raises(UpstreamError, match="cancelled by its caller"):
                await task
            messages = await heard(link, alice)

            sent = next(m for m in messages if m.get("params", {}).get("name") == "ask")
            cancelled = [m for m in messages if m.get("method") == "notifications/cancelled"]
            assert [m["params"] for m in cancelled] == [{"requestId": sent["id"], "reason": "no ü"}]

    run(story())


def test_garbage_on_the_output_is_ignored():
    async def story():
        async with linked() as link:
            answer = await link.request(tool("garbage", session=session()), Memo())

            assert said(answer) == "after garbage"

    run(story())


def test_a_message_above_the_limit_fails_its_call_and_no_other():
    async def story():
        async with linked() as link:
            front = session()
            small = await link.request(tool("huge", {"size": 1_000_000}, session=front), Memo())
            with pytest.raises(UpstreamError, match="larger than the limit"):
                await link.request(tool("huge", {"size": 17_000_000}, session=front), Memo())

            assert len(said(small)) == 1_000_000
            assert said(await link.request(tool("echo", 1, session=front), Memo())) == "1"

    run(story())


def test_a_crash_fails_every_call_with_the_last_words_but_without_secrets():
    async def story():
        async with linked(env=(("TOKEN", secret("s3cr3t-value")),)) as link:
            front = session()
            await link.request(tool("echo", session=front), Memo())
            calls = [
                asyncio.ensure_future(link.request(tool(name, session=front), Memo()))
                for name in ("crash", "echo")
            ]
            results = await asyncio.gather(*calls, return_exceptions=True)

            for result in results:
                assert str(result) == (
                    "it stopped with exit code 7: the disk is on fire, token •••"
                )
                assert isinstance(result, UpstreamError)

    run(story())


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
        b'{"jsonrpc":"2.0","id":"q-9","result":{}}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
    ],
)
def test_what_means_nothing_to_the_server_does_not_reach_it(body):
    async def story():
        async with linked() as link:
            front = session()
            await link.request(tool("echo", session=front), Memo())
            await link.post(front, "alice", body)
            await link.post(session("unknown", "bob"), "bob", body)
            await link.post(None, "alice", body)
            messages = await heard(link, front)

            assert len(messages) == 4

    run(story())


def test_other_notifications_of_a_client_are_passed_on():
    async def story():
        async with linked() as link:
            front = session()
            await link.request(tool("echo", session=front), Memo())
            changed = b'{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'
            await link.post(front, "alice", changed)
            messages = await heard(link, front)

            assert messages[3] == json.loads(changed)

    run(story())


class _Nobody:
    """Is told of nothing."""

    def asked(self, channel: Channel, notice: Notice) -> None:
        raise AssertionError

    def noted(self, channel: Channel, notice: Notice, params: Fields) -> None:
        raise AssertionError

    def ended(self, channel: Channel) -> None:
        raise AssertionError


def test_a_flood_of_what_cannot_be_read_fills_no_log():
    channel = Channel("fixture", itertools.count(1), _Nobody())

    with capture_logs() as logs:
        for _ in range(2 * GARBAGE + 1):
            channel.message(b"x")

    assert [each["before"] for each in logs] == [0, GARBAGE, 2 * GARBAGE]
