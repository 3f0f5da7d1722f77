"""Streams of calls in a session of ours, resumed by a client whose connection broke."""

import asyncio
import json

import pytest

from tests.torhaus.upstream import pipes
from tests.torhaus.upstream.pipes import Memo, run, said, session, tool, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    error,
    event,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import MODERN, linked, numbers
from torhaus.model.outcome import Answer
from torhaus.model.ports import Notice, UpstreamError
from torhaus.upstream import replaying
from torhaus.upstream.replaying import Replays

HELLO = {"content": [{"type": "text", "text": "hello"}]}


def event_ids(memo):
    return [each.event_id for each in (*memo.primed, *memo.notices)]


def chatty(*, then=None):
    """Two notes and an answer, for which it waits if it is told to."""

    async def tell(wire, heard):
        wire.say(STREAM, chunk(event(note("notifications/message", level="info", n=1))))
        wire.say(chunk(event(note("notifications/message", level="info", n=2))))
        if then is not None:
            await then.wait()
        wire.say(chunk(event(result(heard.message["id"], HELLO))), LAST)

    return McpServer(eras=("modern",), tool=tell)


def test_a_broken_stream_goes_on_after_the_last_event_that_came():
    async def story():
        async with linked(chatty().script, MODERN) as (_, link):
            front, memo, later = session(), Memo(), Memo()
            answer = await link.request(tool("a", session=front, id=b"7"), memo)

            assert said(answer) == "hello"
            ids = [*event_ids(memo), answer.event_id]
            assert len(set(ids)) == 4
            await link.listen(front, ids[1], later)

            assert later.established
            assert [each.event_id for each in later.notices] == ids[2:]
            assert json.loads(later.notices[-1].body) == {
                "jsonrpc": "2.0",
                "id": 7,
                "result": HELLO,
            }
            assert later.notices[-1].id == b"7"

    run(story())


def test_a_call_under_way_is_followed_to_its_end_and_its_record():
    async def story():
        end = asyncio.Event()
        async with linked(chatty(then=end).script, MODERN) as (_, link):
            front, memo, later = session(), Memo(), Memo()
            front.running[b"7"] = lambda: None
            call = asyncio.create_task(link.request(tool("a", session=front, id=b"7"), memo))
            await until(lambda: len(memo.notices) == 2)
            following = asyncio.create_task(link.listen(front, event_ids(memo)[0], later))
            await until(lambda: len(later.notices) == 2)

            end.set()
            await call
            await asyncio.sleep(4 * replaying.LOOK)
            assert len(later.notices) == 2
            del front.running[b"7"]
            await following

            assert json.loads(later.notices[-1].body)["result"] == HELLO

    run(story())


def test_a_call_that_failed_or_was_cancelled_leaves_nobody_waiting():
    async def lost(wire, heard):
        wire.close()

    async def story():
        async with linked(McpServer(eras=("modern",), tool=lost).script, MODERN) as (_, link):
            front, memo, later = session(), Memo(), Memo()
            with pytest.raises(UpstreamError):
                await link.request(tool("a", session=front), memo)
            await link.listen(front, memo.primed[0].event_id, later)

            answer = json.loads(later.notices[-1].body)["result"]
            assert (answer["isError"], "log" in answer["content"][0]["text"]) == (True, True)

        end = asyncio.Event()
        async with linked(chatty(then=end).script, MODERN) as (_, link):
            memo, later = Memo(), Memo()
            call = asyncio.create_task(link.request(tool("a", session=front), memo))
            await until(lambda: len(memo.notices) == 2)
            call.cancel()
            await asyncio.wait([call])
            await link.listen(front, event_ids(memo)[-1], later)

            assert later.notices == []
            end.set()

    run(story())


def test_an_error_is_replayed_as_one():
    async def wrong(wire, heard):
        wire.say(whole(error(heard.message["id"], -32602, "no")))

    async def story():
        async with linked(McpServer(eras=("modern",), tool=wrong).script, MODERN) as (_, link):
            front, memo, later = session(), Memo(), Memo()
            await link.request(tool("a", session=front), memo)
            await link.listen(front, memo.primed[0].event_id, later)

            assert json.loads(later.notices[-1].body)["error"]["code"] == -32602

    run(story())


@pytest.mark.parametrize(
    ("version", "primed"), [("2025-11-25", 1), ("2025-06-18", 0), ("2025-03-26", 0)]
)
def test_only_clients_that_know_them_get_events_without_data(version, primed):
    async def story():
        async with linked(chatty().script, MODERN) as (_, link):
            memo = Memo()
            await link.request(tool("a", session=session(version=version)), memo)

            assert len(memo.primed) == primed
            assert [each.retry for each in memo.primed] == [replaying.RETRY] * primed
            assert all(each is not None for each in event_ids(memo))

    run(story())


@pytest.mark.parametrize("bad", ["", "7", "own-1.x", "own-99.0", "own-1.-1", "own-1.²"])
def test_an_event_that_is_not_kept_cannot_be_resumed_after(bad):
    async def story():
        async with linked(chatty().script, MODERN) as (_, link):
            front = session()
            await link.request(tool("a", session=front), Memo())

            with pytest.raises(UpstreamError, match="not kept any more"):
                await link.listen(front, bad, Memo())

    run(story())


def test_nobody_resumes_a_stream_of_another_session():
    async def story():
        async with linked(chatty().script, MODERN) as (_, link):
            front, memo = session("mine"), Memo()
            await link.request(tool("a", session=front), memo)

            with pytest.raises(UpstreamError):
                await link.listen(session("yours"), memo.primed[0].event_id, Memo())
            await link.close(front)
            with pytest.raises(UpstreamError):
                await link.listen(front, memo.primed[0].event_id, Memo())

    run(story())


def kept(replays, who="alice", size=100):
    """A call that was told one thing of this size, and has ended."""
    sink = Memo()
    call = pipes.tool("a", session=session(who, who))
    recorded = replays.begin(call, call.session, sink)
    recorded.notice(Notice(body=b"x" * size, method="notifications/x"))
    recorded.answered(Answer(result=b"{}"))
    return call.session, sink.primed[0].event_id


def test_what_is_too_long_is_passed_on_and_not_kept():
    async def story():
        replays = Replays(numbers())
        front, first = kept(replays, size=replaying.LONGEST)

        with pytest.raises(UpstreamError):
            await replays.resume(front, first, Memo())
        assert (len(replays), replays.size) == (0, 0)

    run(story())


def test_the_oldest_makes_room_for_each_person_and_for_all():
    async def story():
        replays = Replays(numbers())
        size = replaying.LONGEST - 4 * replaying.OVERHEAD
        people = [f"p{number}" for number in range(5)]
        first = {who: kept(replays, who, size) for who in people}
        for _ in range(12):
            kept(replays, "greedy", size)

        assert replays.size <= replaying.MOST
        own = [s for s in replays._kept.values() if s.session.principal == "greedy"]
        assert sum(each.size for each in own) <= replaying.MOST_EACH
        later = Memo()
        await replays.resume(*first["p4"], later)
        assert len(later.notices) == 2
        for who in range(40):
            kept(replays, f"q{who}", size)
        assert replays.size <= replaying.MOST
        with pytest.raises(UpstreamError):
            await replays.resume(*first["p0"], Memo())
        replays.close()
        assert (len(replays), replays.size) == (0, 0)

    run(story())


def test_nothing_is_left_of_streams_that_made_room():
    async def story():
        replays = Replays(numbers())
        size = replaying.LONGEST - 4 * replaying.OVERHEAD
        for number in range(50):
            kept(replays, f"p{number % 3}", size)
            kept(replays, f"p{number % 3}", replaying.LONGEST)

        assert 0 < len(replays) < 20
        assert set(replays._ended) == set(replays._kept)
        assert {name for own in replays._each.values() for name in own} == set(replays._kept)
        replays.close()
        assert (replays._ended, replays._each, replays._sizes) == ({}, {}, {})

    run(story())


def test_streams_are_forgotten_some_time_after_their_end():
    async def story():
        replays = Replays(numbers(), lifetime=0.05)
        for _ in range(3):
            kept(replays)
        assert len(replays) == 3

        await until(lambda: len(replays) == 0)
        assert replays.size == 0

    run(story())
