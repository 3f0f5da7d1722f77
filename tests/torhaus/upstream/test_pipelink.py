"""Conversations with real processes, as the gate has them."""

import asyncio
import contextlib
import json
import re

import msgspec
import pytest

from tests.torhaus.upstream.pipes import (
    Memo,
    alive,
    ask,
    children,
    linked,
    run,
    said,
    secret,
    session,
    tool,
    until,
)
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Sharing


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
            call = tool("slow_progress", meta={"progressToken": 1}, session=front, timeout=0.6)

            assert said(await link.request(call, Memo())) == "done"

    run(story())


def test_a_silent_server_is_given_up_and_told_so():
    async def story():
        async with linked() as link:
            front = session()
            with pytest.raises(UpstreamError, match=r"did not answer within 0\.2 s"):
                await link.request(tool("hang", session=front, timeout=0.2), Memo())

    run(story())


async def _heard(link, front):
    return json.loads(said(await link.request(tool("heard", session=front), Memo())))


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
            heard = await _heard(link, front)

            sent = next(m for m in heard if m.get("params", {}).get("name") == "ask")
            cancelled = next(m for m in heard if m.get("method") == "notifications/cancelled")
            assert cancelled["params"] == {"requestId": sent["id"]}
            # The open question is closed too, or the server would wait for ever.
            assert next(m for m in heard if m.get("id") == "q-1")["error"]["code"] == -32000

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
            heard = await _heard(link, alice)

            sent = next(m for m in heard if m.get("params", {}).get("name") == "ask")
            cancelled = [m for m in heard if m.get("method") == "notifications/cancelled"]
            assert [m["params"] for m in cancelled] == [{"requestId": sent["id"], "reason": "no ü"}]

    run(story())


def test_a_servers_question_reaches_the_caller_and_the_answer_comes_back():
    async def story():
        async with linked() as link:
            front, sink = session(), Memo()
            task = asyncio.ensure_future(link.request(tool("ask", session=front), sink))
            await until(lambda: sink.notices)
            question = sink.notices[0]
            await link.post(
                session("thief", "alice"),
                "alice",
                b'{"jsonrpc":"2.0","id":"q-1","result":{"name":"Mallory"}}',
            )
            await link.post(
                front, "alice", b'{"jsonrpc":"2.0","id":"q-1","result":{"name":"Alice"}}'
            )

            assert (question.method, question.id) == ("elicitation/create", b'"q-1"')
            assert json.loads(said(await task)) == {"name": "Alice"}
            # A second answer is nobody's business any more.
            await link.post(
                front, "alice", b'{"jsonrpc":"2.0","id":"q-1","result":{"name":"Again"}}'
            )
            heard = await _heard(link, front)
            assert len([m for m in heard if m.get("id") == "q-1"]) == 1

    run(story())


@pytest.mark.parametrize("capabilities", [b"{}", b'{"sampling":{}}'])
def test_a_question_the_client_did_not_offer_to_answer_is_refused(capabilities):
    async def story():
        async with linked() as link:
            sink = Memo()
            answer = await link.request(
                tool("ask", session=session(capabilities=capabilities)), sink
            )

            assert said(answer) == '"refused"'
            assert sink.notices == []

    run(story())


def test_a_question_asked_before_anybody_listens_waits_for_the_listener():
    async def story():
        async with linked("curious") as link:
            front, stream = session(), Memo()
            opening = {
                "protocolVersion": front.version,
                "capabilities": json.loads(front.capabilities),
                "clientInfo": {},
            }
            await link.request(ask("initialize", opening, session=front), Memo())
            await asyncio.sleep(0.1)
            listening = asyncio.ensure_future(link.listen(front, None, stream))
            await until(lambda: stream.notices)
            assert stream.established
            await link.post(front, "alice", b'{"jsonrpc":"2.0","id":5,"result":{"roots":[]}}')
            heard = await _heard(link, front)

            assert stream.methods() == ["roots/list"]
            assert next(m for m in heard if m.get("id") == 5)["result"] == {"roots": []}
            listening.cancel()
            await asyncio.wait([listening])

    run(story())


def test_pings_of_the_server_are_answered_here():
    async def story():
        async with linked() as link:
            sink = Memo()
            assert said(await link.request(tool("ping", session=session()), sink)) == "{}"
            assert sink.notices == []

    run(story())


def test_news_goes_once_to_each_session_and_to_its_listening_stream_first():
    async def story():
        async with linked() as link:
            one, two = session("s1"), session("s2")
            stream, call = Memo(), Memo()
            listening = asyncio.ensure_future(link.listen(one, None, stream))
            await asyncio.sleep(0)
            await link.request(tool("change", session=two), call)
            listening.cancel()
            await asyncio.wait([listening])

            news = ["notifications/tools/list_changed", "notifications/resources/updated"]
            assert stream.methods() == news
            assert call.methods() == news

    run(story())


def test_people_who_share_a_connection_hear_only_what_is_theirs():
    async def story():
        async with linked(sharing=Sharing.SHARED) as link:
            alice, bob = session("s1", "alice"), session("s2", "bob")
            for_alice, for_bob = Memo(), Memo()
            streams = [
                asyncio.ensure_future(link.listen(alice, None, for_alice)),
                asyncio.ensure_future(link.listen(bob, None, for_bob)),
            ]
            await link.request(
                ask("resources/subscribe", {"uri": "file:///a"}, session=bob), Memo()
            )
            sink = Memo()
            await link.request(tool("log", session=alice), sink)
            await link.request(tool("change", session=alice), Memo())
            for stream in streams:
                stream.cancel()
            await asyncio.wait(streams)

            assert sink.methods() == ["notifications/message"] * 2
            assert for_alice.methods() == ["notifications/tools/list_changed"]
            assert for_bob.methods() == [
                "notifications/tools/list_changed",
                "notifications/resources/updated",
            ]

    run(story())


def test_log_messages_below_a_sessions_level_are_kept_from_it():
    async def story():
        async with linked() as link:
            quiet, chatty = session("s1"), session("s2")
            await link.request(ask("logging/setLevel", {"level": "debug"}, session=chatty), Memo())
            await link.request(ask("logging/setLevel", {"level": "error"}, session=quiet), Memo())
            heard = await _heard(link, quiet)
            few, all_of_them = Memo(), Memo()
            await link.request(tool("log", session=quiet), few)
            await link.request(tool("log", session=chatty), all_of_them)

            levels = [m["params"]["level"] for m in heard if m["method"] == "logging/setLevel"]
            assert levels == ["debug", "debug"]
            assert len(few.notices) == 1
            assert len(all_of_them.notices) == 2

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
            heard = await _heard(link, front)
            await link.request(tool("change", session=front), Memo())

            methods = [message["method"] for message in heard]
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
            loop = asyncio.get_running_loop()
            with pytest.raises(UpstreamError, match=r"exit code 3: no configuration found$"):
                await link.request(tool("echo", session=session()), Memo())
            began = loop.time()
            with pytest.raises(UpstreamError) as caught:
                await link.request(tool("echo", session=session()), Memo())

            assert loop.time() - began < 0.1
            found = re.search(r"next attempt is possible in (0\.\d) s", str(caught.value))
            assert found is not None
            assert link.state().startswith("down: it stopped with exit code 3")
            await asyncio.sleep(0.6)
            with pytest.raises(UpstreamError, match=r"found$"):
                await link.request(tool("echo", session=session()), Memo())
            with pytest.raises(UpstreamError, match=r"in (1\.0|0\.9) s"):
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
            await asyncio.sleep(0.005)
            assert link.state() == "starting"
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


def test_two_hundred_sessions_leave_nothing_behind():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:
            gate = asyncio.Semaphore(8)

            async def one(number):
                async with gate:
                    front = session(f"s{number}")
                    answer = await link.request(tool("echo", number, session=front), Memo())
                    assert said(answer) == str(number)
                    await link.close(front)

            await asyncio.gather(*(one(number) for number in range(200)))
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


def test_shutdown_takes_less_than_five_seconds_whatever_the_server_does():
    async def story():
        async with linked("stubborn", "child") as link:
            pid = int(said(await link.request(tool("pid", session=session()), Memo())))
            call = asyncio.ensure_future(link.request(tool("hang", session=session()), Memo()))
            await asyncio.sleep(0.1)
            began = asyncio.get_running_loop().time()
            await link.shutdown()

            assert asyncio.get_running_loop().time() - began < 5.0
            assert not alive(pid)
            with pytest.raises(UpstreamError, match="was stopped"):
                await call

    run(story())


def test_a_slow_reader_holds_the_server_back():
    async def story():
        async with linked() as link:
            sink = Memo()
            call = tool("flood", {"count": 50_000}, meta={"progressToken": 1}, session=session())
            task = asyncio.ensure_future(link.request(call, sink))
            await until(lambda: len(sink.notices) > 10)
            sink.throttle(True)
            await asyncio.sleep(0.2)
            held = len(sink.notices)
            await asyncio.sleep(0.3)
            assert len(sink.notices) == held < 50_000
            sink.throttle(False)

            assert said(await task) == "flooded"
            assert len(sink.notices) == 50_000

    run(story())


def test_a_call_after_a_restart_of_the_gateway_opens_the_session_from_what_the_client_said():
    async def story():
        async with linked(sharing=Sharing.SESSION) as link:
            front = session(capabilities=b'{"roots":{"listChanged":true}}', version="2025-03-26")
            heard = await _heard(link, front)

            assert heard[0]["params"] == {
                "protocolVersion": "2025-03-26",
                "capabilities": {"roots": {"listChanged": True}},
                "clientInfo": {"name": "test", "version": "0"},
            }

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


def test_a_reader_that_stays_slow_loses_notifications_but_stops_nobody_else():
    async def story():
        async with linked() as link:
            slow, fast = session("s1"), session("s2")
            stream = Memo()
            listening = asyncio.ensure_future(link.listen(slow, None, stream))
            await link.request(tool("echo", session=fast), Memo())
            stream.throttle(True)
            held = asyncio.ensure_future(link.request(tool("change", session=fast), Memo()))
            await asyncio.sleep(0.3)
            assert not held.done()
            assert said(await held) == "changed"
            assert stream.notices == []
            stream.throttle(False)
            await link.request(tool("change", session=fast), Memo())
            assert len(stream.notices) == 2
            listening.cancel()
            await asyncio.wait([listening])

    run(story())


def test_a_second_stream_of_a_session_replaces_the_first():
    async def story():
        async with linked() as link:
            front, first, second = session(), Memo(), Memo()
            old = asyncio.ensure_future(link.listen(front, None, first))
            await until(lambda: first.established)
            new = asyncio.ensure_future(link.listen(front, None, second))
            await asyncio.wait_for(old, 1)
            await link.request(tool("change", session=front), Memo())

            assert first.notices == []
            assert len(second.notices) == 2
            new.cancel()
            await asyncio.wait([new])

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
            heard = await _heard(link, front)

            assert len(heard) == 4

    run(story())


def test_other_notifications_of_a_client_are_passed_on():
    async def story():
        async with linked() as link:
            front = session()
            await link.request(tool("echo", session=front), Memo())
            changed = b'{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'
            await link.post(front, "alice", changed)
            heard = await _heard(link, front)

            assert heard[3] == json.loads(changed)

    run(story())


def test_the_last_subscriber_unsubscribes_upstream():
    async def story():
        async with linked() as link:
            one, two = session("s1"), session("s2")
            for method in ("resources/subscribe", "resources/unsubscribe"):
                for front in (one, two):
                    await link.request(ask(method, {"uri": "u"}, session=front), Memo())
            heard = await _heard(link, one)

            methods = [m["method"] for m in heard if m["method"].startswith("resources/")]
            assert methods == ["resources/subscribe"] * 2 + ["resources/unsubscribe"]

    run(story())
