"""Calls of stateless clients that wait for an answer to their server's question."""

import asyncio
import json

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, run, said, tool, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    event,
    note,
    result,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import LEGACY, linked
from torhaus.model.ports import UpstreamError

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
EVERYTHING = {"elicitation": {}, "sampling": {}, "roots": {}}


class Asking(McpServer):
    """A legacy server whose tool asks `rounds` times for each call, then says what it heard."""

    def __init__(self, rounds=1, method="elicitation/create", **params):
        super().__init__(tool=self.ask)
        self.rounds = rounds
        self.question = {"method": method, "params": {"message": "?", **params}}
        self.answers = {}
        self.said = asyncio.Event()
        self.cancelled = []

    async def ask(self, wire, heard):
        number = heard.message["id"]
        wire.say(STREAM)
        told = []
        for at in range(self.rounds):
            own = f"{number}-{at}"
            wire.say(
                chunk(event(json.dumps({"jsonrpc": "2.0", "id": own, **self.question}).encode()))
            )
            while own not in self.answers:
                self.said.clear()
                await self.said.wait()
            told.append(self.answers[own])
            token = heard.message["params"].get("_meta", {}).get("progressToken")
            if token is not None:
                wire.say(
                    chunk(event(note("notifications/progress", progressToken=token, progress=at)))
                )
        text = {"content": [{"type": "text", "text": json.dumps(told)}]}
        wire.say(chunk(event(result(number, text))), LAST)

    async def react(self, wire, heard):
        message = heard.message if heard.body else {}
        if "method" not in message and "id" in message:
            self.answers[message["id"]] = message.get("result", message.get("error"))
            self.said.set()
        if message.get("method") == "notifications/cancelled":
            self.cancelled.append(message["params"]["requestId"])
        await super().react(wire, heard)


def call(who="alice", capabilities=None, more=None, **rest):
    meta = {CAPABILITIES: EVERYTHING if capabilities is None else capabilities}
    asked = tool("a", {"b": 1}, meta={**meta, **rest.pop("meta", {})}, who=who, **rest)
    if more is None:
        return asked
    params = {**json.loads(asked.params), **more}
    return msgspec.structs.replace(asked, params=json.dumps(params).encode())


def again(answer, response, **rest):
    """The next round, with this answer to every question."""
    found = json.loads(answer.result)
    responses = dict.fromkeys(found["inputRequests"], response)
    more = {"requestState": found["requestState"], "inputResponses": responses}
    return call(more=more, **rest)


def parked(link):
    return link._on_legacy.parking


def test_a_question_parks_the_call_and_the_retry_goes_on_with_it():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (server, link):
            asked = await link.request(call(), Memo())

            found = json.loads(asked.result)
            assert found["resultType"] == "input_required"
            assert [*found["inputRequests"].values()] == [upstream.question]
            assert len(parked(link)) == 1
            done = await link.request(again(asked, {"action": "accept"}), Memo())

            assert json.loads(said(done)) == [{"action": "accept"}]
            assert json.loads(done.result)["resultType"] == "complete"
            assert len(parked(link)) == 0
            assert [each.asked for each in server.heard].count("tools/call") == 1
            call_ = next(each for each in server.heard if each.asked == "tools/call")
            assert "_meta" not in call_.message["params"]
            assert server.heard[0].message["params"]["capabilities"] == EVERYTHING

    run(story())


def test_three_rounds_and_progress_under_the_token_of_each():
    async def story():
        upstream = Asking(rounds=3)
        async with linked(upstream.script, LEGACY) as (_, link):
            answer, sinks = await link.request(call(meta={"progressToken": "p0"}), Memo()), []
            for at in range(3):
                sinks.append(Memo())
                one = again(answer, {"n": at}, meta={"progressToken": f"p{at + 1}"})
                answer = await link.request(one, sinks[-1])

            assert json.loads(said(answer)) == [{"n": 0}, {"n": 1}, {"n": 2}]
            tokens = [[b["params"]["progressToken"] for b in sink.bodies()] for sink in sinks]
            assert tokens == [["p1"], ["p2"], ["p3"]]

    run(story())


@pytest.mark.parametrize(("who", "state"), [("mallory", None), ("alice", "f" * 32), ("alice", "")])
def test_nobody_goes_on_with_a_call_that_is_not_theirs(who, state):
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (server, link):
            asked = await link.request(call(), Memo())
            before = len(server.heard)
            found = json.loads(asked.result)
            more = {
                "requestState": found["requestState"] if state is None else state,
                "inputResponses": {"q1": {"action": "accept"}},
            }
            answer = await link.request(call(who=who, more=more), Memo())

            assert json.loads(answer.error)["code"] == -32602
            assert len(server.heard) == before
            assert len(parked(link)) == 1

    run(story())


def test_what_is_not_answered_is_asked_again():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            asked = await link.request(call(), Memo())
            found = json.loads(asked.result)
            more = {"requestState": found["requestState"], "inputResponses": {"other": {}, "q1": 7}}
            once_more = await link.request(call(more=more), Memo())

            assert json.loads(once_more.result)["inputRequests"] == found["inputRequests"]
            done = await link.request(again(once_more, {"x": 1}), Memo())
            assert json.loads(said(done)) == [{"x": 1}]

    run(story())


@pytest.mark.parametrize(
    ("method", "capabilities", "heard"),
    [
        ("sampling/createMessage", {"roots": {}}, "did not offer"),
        ("elicitation/create", {"elicitation": {"url": {}}}, "did not offer"),
        ("roots/list", {}, "no such capability"),
    ],
)
def test_a_client_is_not_asked_what_it_did_not_offer(method, capabilities, heard):
    async def story():
        upstream = Asking(method=method)
        async with linked(upstream.script, LEGACY) as (_, link):
            answer = await link.request(call(capabilities=capabilities), Memo())

            assert heard in said(answer)

    run(story())


def test_who_does_not_come_back_is_given_up():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            parked(link)._patience = 0.05
            asked = await link.request(call(), Memo())
            await until(lambda: upstream.answers)

            assert [*upstream.answers.values()] == [{"action": "cancel"}]
            late = await link.request(again(asked, {"action": "accept"}), Memo())
            assert json.loads(late.error)["code"] == -32602

    run(story())


def test_a_thousand_abandoned_calls_give_everything_back():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            for batch in range(20):
                who = f"user{batch}"
                asks = [link.request(call(who=who), Memo()) for _ in range(50)]
                answers = await asyncio.gather(*asks)
                assert all(json.loads(each.result)["requestState"] for each in answers)

            assert len(parked(link)) == 1000
            for each in list(parked(link)._all.values()):  # the clock is turned: each is due now
                each.timer.cancel()
                parked(link)._expire(each)
            await until(lambda: not link._pooled._apart and not parked(link)._leaving)

            assert len(parked(link)) == 0
            assert len(link._pooled) <= 20
            await until(lambda: len(upstream.sessions) <= 20)

    run(story())


def test_one_person_parks_only_so_many():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            await asyncio.gather(*(link.request(call(), Memo()) for _ in range(50)))
            answer = await link.request(call(), Memo())

            assert json.loads(said(answer)) == [{"action": "cancel"}]
            assert len(parked(link)) == 50

    run(story())


def test_a_call_without_room_ends_even_if_its_server_goes_on_asking():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            await asyncio.gather(*(link.request(call(), Memo()) for _ in range(50)))
            upstream.answers = Deaf()

            with pytest.raises(UpstreamError, match=r"did not answer within 0\.1 s"):
                await link.request(call(timeout=0.1), Memo())

            await until(lambda: upstream.cancelled)

    run(story())


def test_a_call_without_room_is_answered_however_often_its_server_asks():
    async def story():
        upstream = Asking(rounds=3)
        async with linked(upstream.script, LEGACY, parked_limit=1) as (_, link):
            await link.request(call(), Memo())

            answer = await asyncio.wait_for(link.request(call(), Memo()), 60)

            assert json.loads(said(answer)) == [{"action": "cancel"}] * 3
            other = await link.request(call(who="bob"), Memo())
            assert "requestState" in json.loads(other.result)

    run(story())


def test_a_lapse_is_told_with_its_reason_for_the_last_round_alone():
    async def story():
        told = []
        upstream = Asking(rounds=2)
        async with linked(upstream.script, LEGACY, parked_expiry=0.1) as (_, link):
            first = msgspec.structs.replace(call(), lapsed=lambda why: told.append(("first", why)))
            asked = await link.request(first, Memo())
            second = msgspec.structs.replace(
                again(asked, {"action": "accept"}), lapsed=lambda why: told.append(("second", why))
            )
            await link.request(second, Memo())
            await until(lambda: told)
            kept = msgspec.structs.replace(call(), lapsed=lambda why: told.append(("third", why)))
            await link.request(kept, Memo())
            await link.shutdown()

            assert [who for who, _ in told] == ["second", "third"]
            assert told[0][1] == "nobody answered the server within 0.1 s, so it was told cancel"
            assert "stopped" in told[1][1]

    run(story())


@pytest.mark.parametrize("at", ["first", "later"])
def test_a_client_that_hangs_up_ends_the_call(at):
    async def story():
        upstream = Asking(rounds=2)
        async with linked(upstream.script, LEGACY) as (_, link):
            going = asyncio.Event()

            async def slow(wire, heard):
                wire.say(STREAM)
                going.set()
                await wire.gone()

            if at == "first":
                upstream.tool = slow
                work = asyncio.ensure_future(link.request(call(), Memo()))
                await going.wait()
            else:
                asked = await link.request(call(), Memo())
                upstream.answers = Deaf()
                work = asyncio.ensure_future(link.request(again(asked, {}), Memo()))
                await until(lambda: upstream.answers.heard)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

            await until(lambda: upstream.cancelled)
            assert len(parked(link)) == 0
            await until(lambda: not link._pooled._apart)

    run(story())


class Deaf(dict):
    """Answers that are heard and not understood."""

    heard = 0

    def __setitem__(self, key, value):
        self.heard += 1


def test_two_rounds_at_once_are_one_too_many():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            asked = await link.request(call(), Memo())
            one = again(asked, {"n": 1})
            answers = await asyncio.gather(*(link.request(one, Memo()) for _ in range(2)))

            assert sorted(each.error is None for each in answers) == [False, True]

    run(story())


def test_the_servers_time_does_not_run_while_its_call_is_parked():
    async def story():
        upstream = Asking()
        async with linked(upstream.script, LEGACY) as (_, link):
            asked = await link.request(call(timeout=1.0), Memo())
            await asyncio.sleep(1.2)
            done = await link.request(again(asked, {}, timeout=1.0), Memo())
            assert json.loads(said(done)) == [{}]

            async def silent(wire, heard):
                await wire.gone()

            upstream.tool = silent
            with pytest.raises(UpstreamError, match=r"did not answer within 0\.1 s"):
                await link.request(call(timeout=0.1), Memo())

    run(story())
