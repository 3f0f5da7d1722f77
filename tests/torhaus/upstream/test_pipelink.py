"""Conversations with real processes, as the gate has them."""

import asyncio
import gc
import json

import msgspec
import pytest

from tests.torhaus.cast import settled
from tests.torhaus.upstream.pipes import (
    Memo,
    alive,
    ask,
    children,
    linked,
    run,
    said,
    session,
    tool,
    until,
)
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Sharing
from torhaus.upstream.stdio import StdioPipe


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_call_travels_there_and_back(loop):
    async def story():
        async with linked() as link:
            answer = await link.request(tool("echo", {"a": [1, "ü"]}, session=session()), Memo())

            assert json.loads(said(answer)) == {"a": [1, "ü"]}
            assert link.state() == "ready"

    run(story(), loop)


def test_initialize_returns_what_the_server_said():
    async def story():
        opening = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"roots": {}},
            "clientInfo": {"name": "cursor", "version": "9"},
        }
        async with linked("old") as link:
            front = session()
            answer = await link.request(ask("initialize", opening, session=front), Memo())

            result = json.loads(answer.result)
            assert result["protocolVersion"] == "2024-11-05"
            assert result["instructions"] == "be kind"
            assert result["seen"] == opening

            front.version, front.capabilities = "2024-11-05", b'{"roots": {}}'
            await link.request(tool("echo", session=front), Memo())
            assert len(children()) == 1

    run(story())


def test_the_server_hears_initialize_and_initialized_once():
    async def story():
        async with linked() as link:
            one, two = session("s1"), session("s2")
            for front in (one, two):
                await link.post(
                    front, "alice", b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
                )
                await link.request(tool("echo", session=front), Memo())
            heard = json.loads(said(await link.request(tool("heard", session=two), Memo())))

            methods = [message["method"] for message in heard]
            assert methods[:2] == ["initialize", "notifications/initialized"]
            assert methods.count("initialize") == methods.count("notifications/initialized") == 1

    run(story())


@pytest.mark.parametrize(
    ("sharing", "processes"),
    [(Sharing.SHARED, 1), (Sharing.PRINCIPAL, 2), (Sharing.SESSION, 3)],
)
def test_sharing_decides_how_many_processes_there_are(sharing, processes):
    async def story():
        async with linked(sharing=sharing) as link:
            for front in (session("s1"), session("s2"), session("s3", "bob")):
                await link.request(tool("echo", session=front), Memo())

            assert len(children()) == processes

    run(story())


def test_other_capabilities_of_the_same_person_get_their_own_process():
    async def story():
        async with linked() as link:
            await link.request(tool("pid", session=session("s1", capabilities=b"{}")), Memo())
            await link.request(
                tool("pid", session=session("s2", capabilities=b'{"a":1,"b":2}')), Memo()
            )
            await link.request(
                tool("pid", session=session("s3", capabilities=b'{"b":2,"a":1}')), Memo()
            )

            assert len(children()) == 2

    run(story())


def test_a_shared_connection_offers_nothing_and_speaks_a_version_the_caller_knows():
    async def story():
        opening = {
            "protocolVersion": "2025-03-26",
            "capabilities": {"sampling": {}},
            "clientInfo": {},
        }
        async with linked(sharing=Sharing.SHARED) as link:
            front = session()
            answer = await link.request(ask("initialize", opening, session=front), Memo())
            asked = await link.request(tool("ask", session=front), Memo())

            result = json.loads(answer.result)
            assert result["seen"]["capabilities"] == {}
            assert result["seen"]["clientInfo"]["name"] == "torhaus"
            assert result["protocolVersion"] == "2025-03-26"
            assert said(asked) == '"refused"'

    run(story())


def test_closing_a_session_of_its_own_ends_its_process_and_stream():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:
            front = session()
            pid = int(said(await link.request(tool("pid", session=front), Memo())))
            listening = asyncio.ensure_future(link.listen(front, None, Memo()))
            await asyncio.sleep(0)
            await link.close(front)
            await listening
            await until(lambda: not alive(pid))

    run(story())


def test_there_is_a_limit_to_how_many_sessions_there_can_be():
    async def story():
        async with linked(sharing=Sharing.SESSION, conversations=2) as link:
            one, two, three = (session(f"s{n}") for n in range(3))
            await link.request(tool("echo", session=one), Memo())
            await link.request(tool("echo", session=two), Memo())
            with pytest.raises(UpstreamError, match="already has 2 sessions"):
                await link.request(tool("echo", session=three), Memo())
            await link.close(one)
            await link.request(tool("echo", session=three), Memo())

    run(story())


def test_many_sessions_leave_nothing_behind():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:
            gate = asyncio.Semaphore(8)

            async def one(number):
                async with gate:
                    front = session(f"s{number}")
                    answer = await link.request(tool("echo", number, session=front), Memo())
                    assert said(answer) == str(number)
                    await link.close(front)

            await asyncio.gather(*(one(number) for number in range(64)))
            await until(lambda: not children(), 10)
            assert link._conversations == {}

    run(story())


def test_nothing_starts_after_the_shutdown():
    async def story():
        async with linked() as link:
            await link.request(tool("echo", session=session()), Memo())
            await link.shutdown()
            with pytest.raises(UpstreamError, match="shutting down"):
                await link.request(tool("echo", session=session()), Memo())

    run(story())


def test_shutdown_takes_seconds_whatever_the_server_does():
    async def story():
        async with linked("stubborn", "child") as link:
            pid = int(said(await link.request(tool("pid", session=session()), Memo())))
            call = asyncio.ensure_future(link.request(tool("hang", session=session()), Memo()))
            await asyncio.sleep(0.1)
            began = asyncio.get_running_loop().time()
            await link.shutdown()

            assert asyncio.get_running_loop().time() - began < 15.0
            assert not alive(pid)
            with pytest.raises(UpstreamError, match="was stopped"):
                await call

    run(story())


def test_sessions_that_begin_before_they_have_a_name_get_one_from_the_link():
    async def story():
        opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
        async with linked(sharing=Sharing.SESSION) as link:
            fronts = []
            for number in range(2):
                begin = msgspec.structs.replace(
                    ask("initialize", opening, session=session()), session=None
                )
                answer = await link.request(begin, Memo())
                fronts.append(session(f"s{number}", capabilities=b"{}"))
                fronts[-1].upstream_id = answer.session
            for front in fronts:
                await link.request(tool("echo", session=front), Memo())
            assert len(children()) == 2

            stranger = session("s9", "mallory", capabilities=b"{}")
            stranger.upstream_id = fronts[0].upstream_id
            await link.request(tool("echo", session=stranger), Memo())
            assert len(children()) == 3

    run(story())


def test_the_longest_idle_session_makes_room_for_a_new_one():
    async def story():
        async with linked(sharing=Sharing.SESSION, conversations=2, resting=0.1) as link:
            old, young, new = (session(f"s{n}") for n in range(3))
            first = int(said(await link.request(tool("pid", session=old), Memo())))
            second = int(said(await link.request(tool("pid", session=young), Memo())))
            await asyncio.sleep(0.15)
            await link.request(tool("echo", session=new), Memo())

            await until(lambda: not alive(first))
            assert alive(second)

    run(story())


def test_sessions_with_processes_of_their_own_leave_nothing_in_memory():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:

            async def visit(number):
                front = session(jti=f"s{number}")
                await link.request(tool("echo", session=front), Memo())
                await link.close(front)

            async def held():
                await until(lambda: children() == [])
                await settled(50)
                gc.collect()
                kept = sum(isinstance(each, StdioPipe) for each in gc.get_objects())
                return len(asyncio.all_tasks()), len(link._conversations), kept

            async def visits(first, turns):
                for turn in range(turns):
                    names = range(first + 10 * turn, first + 10 * turn + 10)
                    await asyncio.gather(*(visit(number) for number in names))

            await visits(0, 4)
            tasks, conversations, pipes = await held()
            await visits(40, 6)

            after = await held()
            assert after[:2] == (tasks, conversations)
            assert conversations == 0
            assert after[2] <= pipes + 10  # the last ones are still being let go

    run(story())
