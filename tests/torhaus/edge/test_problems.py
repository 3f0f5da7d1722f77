import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import World
from torhaus.edge import problems
from torhaus.gate.calls import Asking
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Held,
    Limited,
    Outcome,
    Refused,
)
from torhaus.model.verdict import Allow, Deny, Hold
from torhaus.policy.pins import unknown

ALLOW = Allow("developer: github.read", "allowed")
DENY = Deny("default", "no_grant", "you have no permission to write on github")


def modern(method: str = "tools/call") -> Asking:
    return World().asking(method, {"name": "list_issues"}, id="a")


def legacy(method: str = "tools/call") -> Asking:
    world = World()
    return world.asking(method, {"name": "list_issues"}, id="a", session=world.session())


def said(asking: Asking, outcome: Outcome) -> tuple[int, Any]:
    status, body = problems.ending(asking, outcome)
    message = json.loads(body)
    assert message["jsonrpc"] == "2.0"
    assert message["id"] == "a"
    return status, message


def test_an_answer_is_passed_on_under_the_callers_id() -> None:
    for asking in (modern(), legacy()):
        status, message = said(asking, Answered(ALLOW, Answer(result=b'{"x":1}')))

        assert (status, message["result"]) == (200, {"x": 1})


@pytest.mark.parametrize(("status", "expected"), [(200, 200), (400, 400), (404, 200)])
def test_an_error_keeps_its_status_but_never_tells_a_session_it_is_gone(
    status: int, expected: int
) -> None:
    outcome = Answered(ALLOW, Answer(error=b'{"code":-32601,"message":"no"}', status=status))

    assert said(modern(), outcome)[0] == status
    found, message = said(legacy(), outcome)
    assert found == expected
    assert message["error"]["code"] == -32601


ENDS: list[tuple[Outcome, str, int, str | None]] = [
    (Refused(DENY), "no permission to write", 1403, "torhaus/verdict"),
    (Limited(ALLOW, "github 100/h", 36.2), "github 100/h", 1429, "torhaus/limit"),
    (Failed(ALLOW, "github cannot answer: HTTP 500"), "HTTP 500", 1502, None),
    (Abandoned(ALLOW), "cancelled", -32603, None),
]


@pytest.mark.parametrize(("outcome", "words", "code", "key"), ENDS)
def test_a_tool_call_ends_in_a_result_the_model_can_read(
    outcome: Outcome, words: str, code: int, key: str | None
) -> None:
    for asking in (modern(), legacy()):
        status, message = said(asking, outcome)

        result = message["result"]
        assert status == 200
        assert result["isError"] is True
        assert words in result["content"][0]["text"]
        assert list(result.get("_meta", {})) == ([key] if key else [])
        assert ("resultType" in result) == (asking.session is None)


@pytest.mark.parametrize(("outcome", "words", "code", "key"), ENDS)
def test_any_other_request_ends_in_an_error(
    outcome: Outcome, words: str, code: int, key: str | None
) -> None:
    status, message = said(modern("resources/list"), outcome)

    assert status == 200
    assert message["error"]["code"] == code
    assert words in message["error"]["message"]
    assert ("data" in message["error"]) == (key is not None)


def test_a_refusal_names_rule_and_code_for_programs() -> None:
    _, message = said(modern(), Refused(DENY))

    about = message["result"]["_meta"]["torhaus/verdict"]
    assert about == {"verdict": "deny", "policy_applied": "default", "code": "no_grant"}


def test_a_refusal_after_a_request_for_approval_names_it() -> None:
    _, message = said(modern(), Refused(DENY, "apr_1"))

    assert message["result"]["_meta"]["torhaus/verdict"]["approval"] == "apr_1"


def test_a_held_call_gets_what_the_gate_prepared() -> None:
    hold = Hold("four eyes", "somebody must agree", ALLOW)

    _, told = said(modern(), Held(hold, "apr_1", Answer(result=b'{"x":1}')))
    _, other = said(modern("resources/read"), Held(hold, "apr_1", Answer(error=b'{"code":1202}')))

    assert told["result"] == {"x": 1}
    assert other["error"] == {"code": 1202}


@pytest.mark.parametrize(("wait", "seconds"), [(0.0, 1), (0.2, 1), (36.0, 36), (36.2, 37)])
def test_a_limit_says_when_to_come_back(wait: float, seconds: int) -> None:
    _, message = said(modern(), Limited(ALLOW, "github 100/h", wait))

    assert message["result"]["content"][0]["text"].endswith(f"Retry in {seconds} s.")
    assert message["result"]["_meta"]["torhaus/limit"]["retryAfterMs"] == seconds * 1000


def test_a_callers_error_carries_status_id_and_data() -> None:
    error = CallerError(-32022, "no", status=400, id=b'"a"', data=b'{"x":1}')

    status, body = problems.caller_error(error)

    assert status == 400
    assert json.loads(body) == {
        "jsonrpc": "2.0",
        "id": "a",
        "error": {"code": -32022, "message": "no", "data": {"x": 1}},
    }


def test_an_error_without_an_id_says_null() -> None:
    assert json.loads(problems.caller_error(CallerError(-32700, "no"))[1])["id"] is None


def test_a_hidden_denial_reads_like_a_tool_nobody_has() -> None:
    for asking in (modern(), legacy()):
        server = msgspec.structs.replace(asking.server, hide_denied=True)
        hidden = msgspec.structs.replace(asking, server=server)

        status, message = said(hidden, Refused(DENY))
        _, real = said(asking, Refused(unknown("list_issues")))

        assert status == 200
        assert message["error"] == real["error"]
        assert message["error"]["code"] == -32602
