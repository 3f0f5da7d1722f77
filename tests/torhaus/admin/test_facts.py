from tests.torhaus.admin.hall import WANTED
from tests.torhaus.cast import NOW
from torhaus.admin.facts import approval_act, grant_facts, moved, request_act
from torhaus.model.approval import Approval, State
from torhaus.model.grant import AccessRequest, Asked, Grant

APPROVAL = Approval(id="a", state=State.APPROVED, wanted=WANTED, created=NOW, expires=NOW + 9)


def test_a_record_of_an_approval_says_who_and_what_but_not_the_arguments() -> None:
    act = approval_act(APPROVAL, "approval.requested")

    assert act.server == "github"
    assert act.facts == {
        "approval": "a",
        "tool": "merge_pull_request",
        "policy": "merges",
        "requester": "alice@example.org",
    }


def test_a_way_from_state_to_state_is_named_by_its_end() -> None:
    act = moved(APPROVAL, State.USED)

    assert act.operation == "approval.used"
    assert (act.before, act.after) == ({"state": "approved"}, {"state": "used"})


def test_records_of_access_name_role_and_window() -> None:
    grant = Grant(id="g", user="a@b.c", role="r", begins=1.0, ends=2.0)
    request = AccessRequest(
        id="q",
        state=Asked.PENDING,
        requester="a@b.c",
        email="a@b.c",
        role="r",
        reason="",
        seconds=60.0,
        created=NOW,
        expires=NOW + 1,
    )

    assert grant_facts(grant) == {
        "grant": "g",
        "user": "a@b.c",
        "role": "r",
        "begins": 1.0,
        "ends": 2.0,
    }
    assert request_act(request, "access.requested").facts == {
        "request": "q",
        "requester": "a@b.c",
        "role": "r",
    }
