"""Requests to many servers, through the gate of one."""

import json

import pytest

from tests.torhaus.cast import request, run
from tests.torhaus.gate.aggregate.crowd import UNKNOWN, Crowd
from tests.torhaus.gate.aggregate.test_fronts import session
from tests.torhaus.scripted import dumps
from tests.torhaus.witnesses import Window
from torhaus.gate.aggregate.notes import note
from torhaus.gate.aggregate.routing import routed
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Answer, Answered
from torhaus.model.ports import Detached, LedgerError
from torhaus.model.servers import Era


async def carry(crowd: Crowd, method: str, params: dict, **more):
    guest = crowd.guest(**more)
    asked = request(method, params, era=guest.era)
    asking = crowd.many.asking(guest, routed(guest.view, crowd.servers, asked))
    return await crowd.many.carry(guest, asking, Window(), lambda server, notice: None)


async def result(crowd: Crowd, method: str, params: dict, **more):
    outcome = await carry(crowd, method, params, **more)
    assert isinstance(outcome, Answered)
    return json.loads(outcome.answer.result or outcome.answer.error)


def test_what_comes_back_has_the_names_of_this_side():
    async def story() -> None:
        crowd = Crowd()
        read = Answer(result=dumps({"contents": [{"uri": "a:b", "text": "t"}]}))
        crowd.members["docs"].more["resources/read"] = read

        seen = await result(crowd, "resources/read", {"uri": "docs+a:b"})

        assert seen["contents"] == [{"uri": "docs+a:b", "text": "t"}]
        assert json.loads(crowd.members["docs"].asked[-1].params)["uri"] == "a:b"

    run(story())


def test_an_error_names_the_address_of_this_side():
    async def story() -> None:
        crowd = Crowd()
        missing = dumps({"code": -32602, "message": "no", "data": {"uri": "a:b"}})
        crowd.members["docs"].more["resources/read"] = Answer(error=missing)

        seen = await result(crowd, "resources/read", {"uri": "docs+a:b"})

        assert seen["data"] == {"uri": "docs+a:b"}

    run(story())


@pytest.mark.parametrize(("era", "kind"), [(Era.MODERN, "complete"), (Era.LEGACY, None)])
def test_a_server_that_completes_nothing_has_no_values(era: Era, kind: str | None):
    async def story() -> None:
        crowd = Crowd()
        front = None if era is Era.MODERN else crowd.many.fronts.of(session(crowd))
        ref = {"type": "ref/prompt", "name": "docs__p"}

        seen = await result(crowd, "completion/complete", {"ref": ref}, era=era, front=front)

        assert seen["completion"]["values"] == []
        assert seen.get("resultType") == kind
        assert json.loads(UNKNOWN)["code"] == -32601

    run(story())


def test_a_state_is_bound_to_its_server():
    async def story() -> None:
        crowd = Crowd()
        asks = {"resultType": "input_required", "inputRequests": {}, "requestState": "s"}
        for name in ("docs", "tea"):
            crowd.members[name].more["tools/call"] = Answer(result=dumps(asks))
        params = {"name": "docs__list_issues", "arguments": {}}

        state = (await result(crowd, "tools/call", params))["requestState"]
        await result(crowd, "tools/call", {**params, "requestState": state})

        assert json.loads(crowd.members["docs"].asked[-1].params)["requestState"] == "s"
        wrong = {**params, "name": "tea__list_issues", "requestState": state}
        with pytest.raises(CallerError, match="requestState is not valid"):
            await result(crowd, "tools/call", wrong)

    run(story())


def test_a_detached_call_is_remembered_with_its_server():
    async def story() -> None:
        crowd = Crowd()
        front = crowd.many.fronts.of(session(crowd))
        docs = crowd.members["docs"]

        async def detaches(ask, sink):
            if ask.method == "tools/call":
                raise Detached("later")
            return await docs.plays(ask, sink)

        docs.script = detaches
        params = {"name": "docs__list_issues", "_meta": {"progressToken": 5}}
        with pytest.raises(Detached):
            await carry(crowd, "tools/call", params, era=Era.LEGACY, front=front)

        assert (front.detached, front.sent) == ({b"1": "docs"}, {})
        assert front.tokens == {b"5": "docs"}

    run(story())


def test_what_is_answered_here_leaves_a_record_or_does_not_leave():
    async def story() -> None:
        crowd = Crowd()
        await note(crowd.gate, crowd.guest(), "initialize")
        assert crowd.ledger.noted[-1].mcp_server == "*"
        crowd.ledger.refuses = True

        with pytest.raises(LedgerError):
            await crowd.many.hello(crowd.guest(), request("server/discover"))

    run(story())
