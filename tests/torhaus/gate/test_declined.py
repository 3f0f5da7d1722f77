import pytest

from tests.torhaus.gate.holding import an_approval
from torhaus.gate import declined
from torhaus.model.approval import State
from torhaus.model.outcome import Refused
from torhaus.model.ports import StateError
from torhaus.model.verdict import Allow, Hold

HOLD = Hold("four eyes", "why", Allow("r", "r", frozenset({"write"})))
APPROVAL = an_approval()

ALL = {
    "denied": declined.denied(HOLD, an_approval(decided_by="bob@example.org", comment="no")),
    "used": declined.used(HOLD, APPROVAL),
    "expired": declined.expired(HOLD, APPROVAL),
    "changed": declined.changed(HOLD, APPROVAL),
    "unentitled": declined.unentitled(HOLD, APPROVAL, "bob is gone"),
    "unavailable": declined.unavailable(HOLD, StateError("the disk is full")),
    "unreadable": declined.unreadable(HOLD),
}


@pytest.mark.parametrize("refused", ALL.values(), ids=ALL)
def test_every_refusal_names_the_policy_and_says_what_it_is(refused: Refused) -> None:
    assert refused.verdict.rule == "four eyes"
    assert refused.verdict.actions == {"write"}
    assert refused.verdict.reason.endswith((".", "expired."))
    assert len({each.verdict.code for each in ALL.values()}) == len(ALL)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.DENIED, "approval_denied"),
        (State.CANCELLED, "approval_cancelled"),
        (State.USED, "approval_used"),
        (State.EXPIRED, "approval_expired"),
    ],
)
def test_a_request_that_is_over_says_how_it_ended(state: State, code: str) -> None:
    refused = declined.by_state(HOLD, an_approval(state=state))

    assert refused.verdict.code == code
    assert refused.approval == "apr_1"
    assert "apr_1" in refused.verdict.reason


def test_a_comment_cannot_spoil_the_sentence() -> None:
    comment = "no\n\n\x1b  never " + "x" * 5000
    reason = declined.denied(HOLD, an_approval(decided_by="bob", comment=comment)).verdict.reason

    assert "\n" not in reason
    assert len(reason) < 1000
