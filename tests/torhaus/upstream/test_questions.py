"""Questions that a server asks its callers."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.pipes import (
    Memo,
    ask,
    heard,
    linked,
    run,
    said,
    session,
    tool,
    until,
)


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
            messages = await heard(link, front)
            assert len([m for m in messages if m.get("id") == "q-1"]) == 1

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
            messages = await heard(link, front)

            assert stream.methods() == ["roots/list"]
            assert next(m for m in messages if m.get("id") == 5)["result"] == {"roots": []}
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
