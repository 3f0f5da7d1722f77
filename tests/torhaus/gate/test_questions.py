"""What servers ask of clients, and which of it goes no further."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, World, run, settled
from tests.torhaus.scripted import note
from tests.torhaus.witnesses import Window
from torhaus.gate import questions
from torhaus.gate.relay import Relay
from torhaus.mcp.message import Request, encode
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.servers import ASKABLE, ASKABLE_AMONG

ALL = {"elicitation": {}, "roots": {}, "sampling": {}, "extensions": {"x": {}}}
FORM = {"method": "elicitation/create", "params": {"message": "Sure?"}}
SAMPLING = {"method": "sampling/createMessage", "params": {}}


def request(able: Any, method: str = "tools/call") -> Request:
    params = {"name": "x", "_meta": {CAPABILITIES_KEY: able, "keep": 1}}
    return Request(b"1", method, params, encode(params))


def asking(*asked: dict[str, Any]) -> Answer:
    keyed = {str(n): each for n, each in enumerate(asked)}
    told = {"resultType": "input_required", "inputRequests": keyed, "requestState": "s"}
    return Answer(result=encode(told))


@pytest.mark.parametrize(
    ("asks", "left"),
    [((), {"extensions"}), (("roots",), {"roots", "extensions"}), (ASKABLE, {*ALL})],
)
def test_a_server_hears_of_what_it_may_ask_alone(asks: tuple[str, ...], left: set[str]) -> None:
    changed = questions.declared(request(ALL), asks)
    begun = Request(b"1", "initialize", {"capabilities": ALL, "keep": 1}, b"")

    seen = json.loads(changed.payload)
    assert set(seen["_meta"][CAPABILITIES_KEY]) == left
    assert (seen["name"], seen["_meta"]["keep"], changed.id) == ("x", 1, b"1")
    assert set(questions.declared(begun, asks).params["capabilities"]) == left
    assert set(json.loads(questions.able(begun.params, asks))) == left


@pytest.mark.parametrize("able", [None, [], "x"])
def test_capabilities_that_are_none_stay_so(able: Any) -> None:
    asked = request(able)
    begun = Request(b"1", "initialize", {"capabilities": able}, b"")

    assert questions.declared(asked, ()) is asked
    assert questions.declared(begun, ()) is begun
    assert json.loads(questions.able({"capabilities": able}, ())) == (able or {})


@pytest.mark.parametrize(
    ("answer", "asks", "passes"),
    [
        (asking(FORM, SAMPLING), ASKABLE, True),
        (asking(FORM), ASKABLE_AMONG, True),
        (asking(), (), True),
        (asking({"method": 7}), (), True),
        (asking(FORM, SAMPLING), ASKABLE_AMONG, False),
        (asking(FORM), (), False),
        (Answer(result=b'{"content":[{"text":"input_required"}]}'), (), True),
        (Answer(result=b"?"), (), True),
        (Answer(result=b'{"content":[{"text":"\xff"}]}'), (), True),
        (Answer(result=b'{"resultType":"\xff"}'), (), True),
        (Answer(result=b'{"resultType":"input_required","inputRequests":{"\xff":1}}'), (), True),
        (Answer(error=b'{"message":"\xff"}'), (), True),
        (Answer(error=b'{"code":-32602,"message":"x"}'), (), True),
        (Answer(error=b"?"), (), True),
    ],
)
def test_a_round_needs_leave_for_each_question(
    answer: Answer, asks: tuple[str, ...], passes: bool
) -> None:
    seen = questions.checked(request(ALL), answer, "docs", asks)

    assert (seen is answer) is passes
    if not passes:
        told = json.loads(seen.result or b"")
        assert (told["isError"], told["resultType"]) == (True, "complete")
        assert "which it may not here: `asks` of the server decides that" in str(told)


def test_a_question_is_seen_however_its_name_is_spelled() -> None:
    for spelled in (b"input\\u0052equests", b"\\u0069nputRequests"):
        answer = Answer(result=(asking(FORM).result or b"").replace(b"inputRequests", spelled))

        assert questions.checked(request(ALL), answer, "docs", ()) is not answer
        assert questions.offered(request(None), answer, "docs") is not answer


def test_a_task_asks_no_more_than_a_call():
    status = {"resultType": "complete", "status": "input_required"}
    answer = Answer(result=encode({**status, "inputRequests": {"a": FORM, "b": SAMPLING}}))
    asked = request(ALL, "tasks/get")

    assert questions.checked(asked, answer, "docs", ASKABLE) is answer
    refused = questions.checked(asked, answer, "docs", ASKABLE_AMONG)
    assert "docs asks for `sampling`" in json.loads(refused.error or b"")["message"]


@pytest.mark.parametrize(("able", "passes"), [(ALL, True), ({"roots": {}}, False), (None, False)])
def test_in_front_of_many_a_client_is_asked_what_it_has_offered(able: Any, passes: bool) -> None:
    seen = questions.offered(request(able), asking(FORM), "docs")

    assert ("not offered: `elicitation`" in str(seen.result)) is not passes
    plain = Answer(result=b'{"content":[]}')
    assert questions.offered(request(able), plain, "docs") is plain
    assert questions.offered(request(able), Answer(error=b"{}"), "docs").error == b"{}"


@pytest.mark.parametrize(
    ("keyed", "left"),
    [
        ({"a": FORM, "b": SAMPLING}, {"a": FORM}),
        ({"a": FORM, "b": 7}, {"a": FORM, "b": 7}),
        (None, None),
        ([SAMPLING], [SAMPLING]),
    ],
)
def test_news_of_a_task_are_without_what_may_not_be_asked(keyed: Any, left: Any) -> None:
    told = questions.allowed({"taskId": "t", "inputRequests": keyed}, ASKABLE_AMONG)

    assert told == {"taskId": "t", "inputRequests": left}


def test_what_is_no_tool_ends_with_an_error():
    seen = questions.checked(request(ALL, "prompts/get"), asking(FORM), "docs", ())

    assert json.loads(seen.error or b"")["code"] == -32603


@pytest.mark.parametrize(
    ("able", "asks", "told"),
    [(ALL, ASKABLE_AMONG, True), (ALL, ASKABLE, False), ({}, ASKABLE_AMONG, False)],
)
def test_a_capability_that_the_gateway_keeps_back_is_explained(
    able: dict[str, Any], asks: tuple[str, ...], told: bool
) -> None:
    data = {"requiredCapabilities": {"sampling": {}}}
    answer = Answer(error=encode({"code": -32021, "message": "x", "data": data}), status=400)

    seen = questions.checked(request(able), answer, "docs", asks)

    assert (seen is not answer) is told
    assert not told or "docs needs `sampling`" in str(seen.result)


@pytest.mark.parametrize(
    ("method", "among", "asks", "passes"),
    [
        ("roots/list", False, ASKABLE, True),
        ("roots/list", False, ("sampling",), False),
        ("sampling/createMessage", False, ASKABLE, True),
        ("sampling/createMessage", True, ASKABLE, False),
        ("roots/list", True, ASKABLE, True),
        ("elicitation/create", True, ASKABLE, False),
    ],
)
def test_a_question_reaches_a_client_if_its_server_may_ask_it(
    method: str, among: bool, asks: tuple[str, ...], passes: bool
):
    async def story() -> None:
        world, front = World(), Window()
        session = world.session()
        session.token = "" if among else session.token
        session.capabilities = b'{"roots":{},"sampling":{}}'
        server = msgspec.structs.replace(world.server, asks=asks)
        servers = {server.name: server}
        world.rules = msgspec.structs.replace(world.rules, servers=servers)
        there = Relay(front, world.talk, server, ALICE.id, session)

        there.notice(note(method, {}, id="up-1"))
        await settled()

        assert len(front.events) == passes
        assert len(world.upstream.posted) == (not passes)
        assert passes or json.loads(world.upstream.posted[0])["error"]["code"] == -32601

    run(story())
