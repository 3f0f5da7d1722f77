import pytest

from tests.torhaus.cast import BOB, NOW, World, sealer
from tests.torhaus.gate.holding import CAREFUL
from torhaus.gate.calls import Asking
from torhaus.gate.retries import PREFIX, Round, returned, sealed
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal

SEALER = sealer()


def call(
    state: object = None, by: Principal = CAREFUL, title: str = "t", **extra: object
) -> Asking:
    more = {} if state is None else {"requestState": state}
    return World().tool("create_issue", {"title": title}, by=by, extra={**more, **extra})


def state(number: int = 3) -> str:
    return sealed(call(), Round("apr_1", number), SEALER, NOW + 60)


def test_a_request_comes_back_as_it_was() -> None:
    answered = {"torhaus-approval": {"action": "accept"}, "other": {"action": "decline"}}

    back = returned(call(state(), inputResponses=answered), SEALER, NOW)

    assert back is not None
    assert back.round == Round("apr_1", 3)
    assert back.action == "accept"
    assert back.asking.request.params == call().request.params
    assert back.asking.request.payload == call().request.payload


@pytest.mark.parametrize(
    "responses",
    [None, [], "x", {}, {"torhaus-approval": 1}, {"torhaus-approval": {"action": ["accept"]}}],
)
def test_an_answer_that_is_none_is_no_answer(responses: object) -> None:
    back = returned(call(state(), inputResponses=responses), SEALER, NOW)

    assert back is not None
    assert back.action is None


@pytest.mark.parametrize("other", [None, "server's own", "approved.x", 7, ["approval."], {}])
def test_any_other_state_is_not_ours(other: object) -> None:
    assert returned(call(other), SEALER, NOW) is None


def test_a_session_s_request_has_no_rounds() -> None:
    world = World()
    asking = world.tool(
        "create_issue",
        {},
        by=CAREFUL,
        session=world.session(by=CAREFUL),
        extra={"requestState": state()},
    )

    assert returned(asking, SEALER, NOW) is None


@pytest.mark.parametrize(
    "wrong",
    [
        call(state(), title="u"),
        call(state(), by=BOB),
        call(PREFIX),
        call(PREFIX + "AAAA"),
        call(state()[:-4] + "AAAA"),
        call(PREFIX + SEALER.seal(b"no round", b"", NOW + 60)),
    ],
)
def test_a_state_that_is_forged_or_for_another_request_is_refused(wrong: Asking) -> None:
    with pytest.raises(CallerError) as refused:
        returned(wrong, SEALER, NOW)

    assert refused.value.code == -32602


def test_a_state_ends_with_its_request() -> None:
    with pytest.raises(CallerError):
        returned(call(state()), SEALER, NOW + 60)
