import pytest

from torhaus.gate.ends import failed, so_far, stopped
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Abandoned, Failed, Outcome, Refused
from torhaus.model.ports import Joined, LedgerError, UpstreamError
from torhaus.model.verdict import Allow, Deny, Hold, Verdict

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
