"""Rounds of a stateless server, as requests to a client that keeps a session."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.asking import ELICIT, REFUSED, ROOTS, YES, Answering, Asker, wants
from tests.torhaus.upstream.pipes import Memo, ask, run, said, session, tool, until
from tests.torhaus.upstream.servers.http_server import result, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import MODERN, linked
from torhaus.mcp.message import result_text
from torhaus.model.ports import UpstreamError

URL = {"method": "elicitation/create", "params": {"mode": "url", "url": "https://x.example"}}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": []}}


def asking(*rounds):
    asker = Asker(list(rounds))
    return asker, McpServer(eras=("modern",), tool=asker.tool)


def answering(link, front, say=lambda _: YES):
    loop, sink = asyncio.get_running_loop(), Answering(say=say)
    tasks = sink.__dict__.setdefault("tasks", [])
    sink.post = lambda body: tasks.append(loop.create_task(link.post(front, "alice", body)))
    return sink


def test_a_question_becomes_a_request_and_its_answer_the_next_round():
    async def story():
        asker, upstream = asking(wants(ELICIT, state='s"\\1'))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()
            sink = answering(link, front)
            answer = await link.request(tool("a", {"b": 1}, session=front), sink)

            assert json.loads(said(answer)) == {"k0": json.loads(YES)}
            assert [each["method"] for each in sink.bodies()] == ["elicitation/create"]
            first, second = asker.heard
            assert first["id"] != second["id"]
            assert second["requestState"] == 's"\\1'
            assert second["arguments"] == {"b": 1}
            assert "requestState" not in first
            assert first["_meta"] == second["_meta"]
            assert sink.notices[0].tied
            assert len(link._on_modern.interviews) == 0

    run(story())


def test_several_questions_and_rounds_are_answered_each_by_its_name():
    async def story():
        asker, upstream = asking(wants(ELICIT, SAMPLE, ROOTS), wants(ROOTS, state=None))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()

            def say(question):
                return json.dumps({"to": question["method"]}).encode()

            await link.request(tool("a", session=front), answering(link, front, say))

            assert asker.heard[1]["inputResponses"] == {
                "k0": {"to": "elicitation/create"},
                "k1": {"to": "sampling/createMessage"},
                "k2": {"to": "roots/list"},
            }
            assert asker.heard[2]["inputResponses"] == {"k0": {"to": "roots/list"}}
            assert "requestState" not in asker.heard[2]
            assert len({each["id"] for each in asker.heard}) == 3

    run(story())


def test_a_link_to_open_has_the_name_that_sessions_expect():
    async def story():
        _, upstream = asking(wants(URL))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session(capabilities=b'{"elicitation":{"url":{}}}')
            sink = answering(link, front)
            await link.request(tool("a", session=front), sink)

            asked = sink.bodies()[0]
            assert asked["params"]["elicitationId"] == asked["id"]

    run(story())


def test_a_round_without_questions_comes_back_after_a_pause():
    async def story():
        asker, upstream = asking(wants(state="later"))
        async with linked(upstream.script, MODERN) as (_, link):
            loop, sink = asyncio.get_running_loop(), Memo()
            began = loop.time()
            await link.request(tool("a", session=session()), sink)

            assert loop.time() - began >= 0.24
            assert sink.notices == []
            assert asker.heard[1]["requestState"] == "later"
            assert "inputResponses" not in asker.heard[1]

    run(story())


@pytest.mark.parametrize(
    ("found", "declared", "sentence"),
    [
        (wants(ELICIT), b"{}", "not offered: `elicitation`"),
        (wants(URL), b'{"elicitation":{}}', "not offered: `elicitation.url`"),
        (wants(ROOTS, SAMPLE), b'{"roots":{}}', "not offered: `sampling`"),
        (wants({"method": "tools/call"}), b'{"roots":{}}', "the method 'tools/call'"),
        (wants(state=None), b"{}", "asks nothing"),
        (wants(*[ROOTS] * 17), b'{"roots":{}}', "too many questions"),
    ],
)
@pytest.mark.parametrize("method", ["tools/call", "prompts/get"])
def test_what_the_client_cannot_be_asked_ends_the_call(found, declared, sentence, method):
    async def story():
        asker, upstream = asking(found)
        async with linked(upstream.script, MODERN) as (_, link):
            front, sink = session(capabilities=declared), Memo()
            answer = await link.request(ask(method, {"name": "a"}, session=front), sink)

            if method == "tools/call":
                assert json.loads(answer.result)["isError"] is True
                assert sentence in said(answer)
                assert "resultType" not in json.loads(answer.result)
            else:
                assert sentence in json.loads(answer.error)["message"]
            assert sink.notices == []
            assert len(asker.heard) == 1

    run(story())


def test_a_client_that_refuses_ends_the_call_and_its_other_questions():
    async def story():
        asker, upstream = asking(wants(ELICIT, ROOTS))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()

            def say(question):
                return REFUSED if question["method"] == "roots/list" else None

            sink = answering(link, front, say)
            answer = await link.request(tool("a", session=front), sink)

            assert "the user said no" in said(answer)
            first, _, withdrawn = sink.bodies()
            assert withdrawn["method"] == "notifications/cancelled"
            assert withdrawn["params"]["requestId"] == first["id"]
            assert len(asker.heard) == 1

    run(story())


def test_no_is_an_answer_that_the_server_hears():
    async def story():
        asker, upstream = asking(wants(ELICIT))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()
            sink = answering(link, front, lambda _: b'{"action":"decline"}')
            await link.request(tool("a", session=front), sink)

            assert asker.heard[1]["inputResponses"] == {"k0": {"action": "decline"}}

    run(story())


@pytest.mark.parametrize("said_back", [b"7", b"[]", b'"x"'])
def test_an_answer_of_no_shape_ends_the_call(said_back):
    async def story():
        _, upstream = asking(wants(ELICIT))
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()
            sink = answering(link, front, lambda _: said_back)
            answer = await link.request(tool("a", session=front), sink)

            assert "cannot be read" in said(answer)

    run(story())


def test_nobody_answers_in_time():
    async def story():
        _, upstream = asking(wants(ELICIT))
        async with linked(upstream.script, MODERN) as (_, link):
            link._on_modern.interviews._leg = 0.05
            sink = Memo()
            answer = await link.request(tool("a", session=session()), sink)

            assert "nobody answered" in said(answer)
            assert sink.methods() == ["elicitation/create", "notifications/cancelled"]
            assert len(link._on_modern.interviews) == 0

    run(story())


def test_a_server_that_never_stops_asking_is_stopped():
    async def story():
        asker, upstream = asking(*[wants(ELICIT)] * 20)
        async with linked(upstream.script, MODERN) as (_, link):
            front = session()
            answer = await link.request(tool("a", session=front), answering(link, front))

            assert "more than 8 times" in said(answer)
            assert len(asker.heard) == 9

    run(story())


def test_only_the_session_that_was_asked_can_answer():
    async def story():
        asker, upstream = asking(wants(ELICIT))
        async with linked(upstream.script, MODERN) as (_, link):
            front, sink = session("s1"), Memo()
            call = asyncio.ensure_future(link.request(tool("a", session=front), sink))
            await until(lambda: sink.notices)
            own = sink.notices[0].id
            assert own is not None
            await link.post(session("s2", "mallory"), "mallory", result_text(own, b'{"x":1}'))
            await link.post(front, "alice", result_text(b'"other"', b'{"x":1}'))

            assert not call.done()
            await link.post(front, "alice", result_text(own, YES))
            await link.post(front, "alice", result_text(own, b'{"action":"late"}'))
            await call
            assert asker.heard[1]["inputResponses"] == {"k0": json.loads(YES)}

    run(story())


def test_a_cancelled_call_closes_its_questions():
    async def story():
        asker, upstream = asking(wants(ELICIT))
        async with linked(upstream.script, MODERN) as (_, link):
            front, sink = session(), Memo()
            call = asyncio.ensure_future(link.request(tool("a", session=front), sink))
            await until(lambda: sink.notices)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

            assert sink.methods()[-1] == "notifications/cancelled"
            assert len(link._on_modern.interviews) == 0
            assert len(asker.heard) == 1

    run(story())


def test_one_person_cannot_take_all_questions_of_a_server():
    async def story():
        _, upstream = asking(*[wants(*[ELICIT] * 10)] * 6)
        async with linked(upstream.script, MODERN) as (_, link):
            sinks = [Memo() for _ in range(5)]
            calls = [
                asyncio.ensure_future(link.request(tool("a", session=session(f"s{at}")), sink))
                for at, sink in enumerate(sinks)
            ]
            await until(lambda: all(len(sink.notices) == 10 for sink in sinks))
            answer = await link.request(tool("a", session=session("s9")), Memo())

            assert "too many questions" in said(answer)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    run(story())


def test_a_question_nobody_can_read_is_the_servers_failure():
    async def story():
        async def tool_(wire, heard):
            found = {"resultType": "input_required", "inputRequests": [1]}
            wire.say(whole(result(heard.message["id"], found)))

        upstream = McpServer(eras=("modern",), tool=tool_)
        async with linked(upstream.script, MODERN) as (_, link):
            with pytest.raises(UpstreamError, match="cannot be read"):
                await link.request(tool("a", session=session()), Memo())

    run(story())
