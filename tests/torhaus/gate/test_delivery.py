import json
from typing import Any

import pytest

from tests.torhaus.cast import World
from tests.torhaus.gate.holding import CAREFUL, an_approval, wanted
from torhaus.gate import delivery
from torhaus.model.outcome import Answer

APPROVAL = an_approval(
    wanted=wanted(approvers=(("lead", "bob@example.org"), ()), reason="Why. Somebody agrees first.")
)
LINK = "https://gate.example.org/approvals/apr_1?t=x"


def read(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.result or b"")
    return found


@pytest.mark.parametrize(
    ("approvers", "said"),
    [
        ((), "an administrator of github"),
        (((),), "an administrator of github"),
        ((("lead",),), "lead"),
        ((("lead", "bob@example.org"),), "lead or bob@example.org"),
        ((("lead",), ()), "lead, and an administrator of github"),
        ((("lead",), ("lead",)), "lead"),
    ],
)
def test_people_are_told_who_can_agree(approvers: tuple[tuple[str, ...], ...], said: str) -> None:
    assert delivery.who(approvers, "github") == said


def test_the_sentence_says_why_who_how_long_and_what_then() -> None:
    said = delivery.sentence(APPROVAL, LINK)

    for part in (
        "Pending: Why. Somebody agrees first.",
        "lead or bob@example.org, and an administrator of github",
        "not dana@example.org",
        "Request apr_1, open until 14:28 UTC",
        LINK,
        "Call again with the same arguments once it is approved.",
    ):
        assert part in said


def test_programs_read_the_same() -> None:
    assert delivery.about(APPROVAL, LINK) == {
        "id": "apr_1",
        "state": "pending",
        "policy": "four eyes",
        "expires": "2026-09-21T14:28:20.000Z",
        "url": LINK,
    }
    assert "url" not in delivery.about(APPROVAL, None)


def test_a_question_comes_with_its_state_and_a_wait_without_the_question() -> None:
    asked = read(delivery.asks(APPROVAL, LINK, "state"))
    waits = read(delivery.asks_to_wait(APPROVAL, LINK, "state"))

    assert asked["resultType"] == waits["resultType"] == "input_required"
    assert asked["requestState"] == waits["requestState"] == "state"
    (question,) = asked["inputRequests"].values()
    assert question["params"]["url"] == LINK
    assert "inputRequests" not in waits


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("resources/read", {"uri": "a://b"}),
        ("prompts/get", {"name": "p"}),
        ("completion/complete", {"ref": {}}),
    ],
)
def test_other_requests_get_an_error_with_a_sentence_and_data(
    method: str, params: dict[str, object]
) -> None:
    asking = World().asking(method, params, by=CAREFUL)

    error = json.loads(delivery.pending(asking, APPROVAL, LINK).error or b"")

    assert error["code"] == 1202
    assert error["message"] == delivery.sentence(APPROVAL, LINK)
    assert error["data"] == delivery.about(APPROVAL, LINK)


@pytest.mark.parametrize("token", ["p", "", 0, 7])
def test_progress_tokens_are_texts_and_numbers(token: object) -> None:
    asking = World().tool("x", {}, by=CAREFUL, extra={"_meta": {"progressToken": token}})

    assert delivery.progress_token(asking) == token


def test_progress_grows_and_leaves_room_for_the_server_s_own() -> None:
    steps = [
        json.loads(delivery.progress_notice("p", step, APPROVAL).body)["params"]["progress"]
        for step in range(1, 500)
    ]

    assert steps == sorted(set(steps))
    assert steps[0] > 0
    assert steps[-1] < 1
