"""Questions inside results: read, allowed, and answered in the next round."""

import json

import msgspec
import pytest

from torhaus.mcp import inputs
from torhaus.mcp.inputs import Input

FORM = Input("elicitation/create", {"message": "m", "requestedSchema": {}})
URL = Input("elicitation/create", {"mode": "url", "url": "https://x.example"})
SAMPLE = Input("sampling/createMessage", {"messages": []})
TOOLS = Input("sampling/createMessage", {"messages": [], "tools": []})
ROOTS = Input("roots/list")


def test_a_result_that_asks_says_what():
    text = (
        b'{"resultType":"input_required","requestState":"s",'
        b'"inputRequests":{"a":{"method":"roots/list"}}}'
    )

    found = inputs.wanted(text)

    assert found is not None
    assert (found.input_requests, found.request_state) == ({"a": ROOTS}, "s")


@pytest.mark.parametrize(
    "text",
    [b"[]", b'{"content":[]}', b'{"x":"input_required"}', b'["input_required"]'],
)
def test_other_results_ask_nothing(text: bytes):
    assert inputs.wanted(text) is None


@pytest.mark.parametrize(
    "rest",
    [b'"inputRequests":[]', b'"inputRequests":{"a":1}', b'"requestState":7'],
)
def test_questions_of_no_shape_are_an_error(rest: bytes):
    with pytest.raises(msgspec.MsgspecError):
        inputs.wanted(b'{"resultType":"input_required",%b}' % rest)


def test_what_is_asked_comes_out_as_it_went_in():
    found = inputs.wanted(inputs.required({"k": SAMPLE}, "state"))

    assert found is not None
    assert (found.input_requests, found.request_state) == ({"k": SAMPLE}, "state")


def test_the_next_round_replaces_the_answers_and_the_state_of_the_last():
    params = b'{"name":"t","inputResponses":{"old":1},"requestState":"old","_meta":{"x":1}}'

    there = json.loads(inputs.again(params, {"k": b'{"action":"accept"}'}, 'a"\\b'))

    assert there == {
        "name": "t",
        "_meta": {"x": 1},
        "inputResponses": {"k": {"action": "accept"}},
        "requestState": 'a"\\b',
    }
    assert json.loads(inputs.again(params, {}, None)) == {"name": "t", "_meta": {"x": 1}}


def test_only_what_servers_may_ask_by_is_told_of_a_client():
    declared = b'{"roots":{"listChanged":true},"sampling":true,"elicitation":{},"tasks":{}}'

    assert inputs.may_be_asked(declared) == {"roots": {"listChanged": True}, "elicitation": {}}
    assert inputs.may_be_asked(b"[1]") == inputs.may_be_asked(b"{") == {}
    assert inputs.may_be_asked(b"") == {}


@pytest.mark.parametrize(
    ("question", "declared", "lacks"),
    [
        (FORM, {"elicitation": {}}, None),
        (FORM, {"elicitation": {"form": {}}}, None),
        (FORM, {"elicitation": {"url": {}}}, "`elicitation.form`"),
        (FORM, {"sampling": {}}, "`elicitation`"),
        (URL, {"elicitation": {}}, "`elicitation.url`"),
        (URL, {"elicitation": {"form": {}, "url": {}}}, None),
        (Input("elicitation/create", {"mode": 7}), {"elicitation": {}}, "`elicitation.7`"),
        (SAMPLE, {"sampling": {}}, None),
        (TOOLS, {"sampling": {}}, "`sampling.tools`"),
        (TOOLS, {"sampling": {"tools": {}}}, None),
        (ROOTS, {"roots": {}}, None),
        (ROOTS, {}, "`roots`"),
        (Input("tools/call"), {"elicitation": {}}, "the method 'tools/call'"),
    ],
)
def test_a_client_is_asked_only_what_it_offered(
    question: Input, declared: dict[str, object], lacks: str | None
):
    assert inputs.lacking(question, declared) == lacks


def test_a_question_loses_what_only_one_era_knows():
    own = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}

    assert inputs.without_envelope({"a": 1, "_meta": own}) == {"a": 1}
    assert inputs.without_envelope({"_meta": {**own, "x": 1}}) == {"_meta": {"x": 1}}
    assert inputs.without_envelope({"a": 1}) == {"a": 1}
