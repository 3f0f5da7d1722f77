import json
from time import thread_time

import pytest

from torhaus.gate.ends import failed, so_far, stopped, told
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, error_object
from torhaus.model.outcome import Abandoned, Answer, Failed, Outcome, Refused
from torhaus.model.ports import Joined, LedgerError, UpstreamError
from torhaus.model.verdict import Allow, Deny, Hold, Verdict
from torhaus.redact.guard import Guard

ALLOW = Allow("rule", "because", frozenset({"read"}))
DENY = Deny("rule", "no_grant", "because")
HOLD = Hold("ask", "somebody must agree", ALLOW)


@pytest.mark.parametrize(
    ("verdict", "end"),
    [(ALLOW, Abandoned(ALLOW)), (DENY, Refused(DENY)), (HOLD, Abandoned(HOLD))],
)
def test_what_nobody_carries_further_ends_as_it_was_judged(verdict: Verdict, end: Outcome):
    assert so_far(verdict) == end
    assert stopped(verdict, CallerError(1, "no call")) == end


def test_without_a_record_every_call_is_refused():
    end = stopped(ALLOW, LedgerError("the disk is full"))

    assert isinstance(end, Refused)
    assert end.verdict.code == "audit_unavailable"


@pytest.mark.parametrize(("error", "joined"), [(UpstreamError, False), (Joined, True)])
def test_a_server_that_cannot_answer_is_named(error: type[UpstreamError], joined: bool):
    end = failed(ALLOW, "github", "it is down", error("it is down"))

    assert end == Failed(ALLOW, "github cannot answer: it is down", joined=joined)


def test_a_call_that_must_wait_for_a_server_that_is_down_is_refused():
    end = failed(HOLD, "github", "it is down", UpstreamError("it is down"))

    assert isinstance(end, Refused)
    assert (end.verdict.rule, end.verdict.code) == ("ask", "server_unavailable")
    assert failed(DENY, "github", "x", UpstreamError("x")) == Refused(DENY)


def test_an_error_is_told_without_secrets():
    secret = "upstream-token-4e909f52d1c38e8b"
    error = error_object(-32000, f"{secret} is not allowed")

    seen = told(Answer(error=error), Guard([secret]))

    assert seen == Answer(error=error_object(-32000, "[redacted:gateway-secret] is not allowed"))


def test_a_huge_error_is_neither_looked_through_nor_told():
    error = error_object(-32000, "password: x1y2z3 " * 1_000_000)

    started = thread_time()
    seen = told(Answer(error=error), Guard())

    assert thread_time() - started < 1.0  # to look through it takes 16 seconds
    assert seen.error is not None
    assert b"x1y2z3" not in seen.error
    assert json.loads(seen.error) == {
        "code": codes.UPSTREAM_FAILED,
        "message": "the server's error cannot be shown: it is longer than 64 KiB",
    }
