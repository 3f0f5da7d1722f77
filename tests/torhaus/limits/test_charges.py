import pytest

from tests.torhaus.policy.people import HOURLY, call, server
from torhaus.limits.charges import charges
from torhaus.model.people import Principal
from torhaus.model.servers import Window

LIMITED = server(rate_limit=HOURLY)


def test_a_tool_call_draws_on_its_callers_window_with_the_server() -> None:
    (charge,) = charges(call("list_issues", at=LIMITED))

    assert (charge.key, charge.window) == ("github u-alice", HOURLY)
    assert charge.limit == "github: 100 calls per hour"


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "completion/complete"])
def test_what_reaches_data_is_charged(method: str) -> None:
    assert len(charges(call(method, at=LIMITED, method=method))) == 1


@pytest.mark.parametrize("method", ["initialize", "tools/list", "ping", "notifications/progress"])
def test_the_rest_is_free(method: str) -> None:
    assert charges(call(method, at=LIMITED, method=method)) == ()


def test_without_a_limit_nothing_is_charged() -> None:
    assert charges(call("list_issues")) == ()


def test_callers_and_servers_do_not_share_a_window() -> None:
    bob = Principal(id="u-bob", email="bob@example.org")
    asked = [
        call("x", at=LIMITED),
        call("x", at=LIMITED, by=bob),
        call("x", at=server("sentry", rate_limit=HOURLY)),
    ]

    assert len({charges(one)[0].key for one in asked}) == 3


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (Window(1, 60.0), "github: 1 call per minute"),
        (Window(5, 86400.0), "github: 5 calls per day"),
        (Window(5, 90.0), "github: 5 calls per 90 seconds"),
    ],
)
def test_a_limit_is_spoken_as_people_do(window: Window, text: str) -> None:
    assert charges(call("x", at=server(rate_limit=window)))[0].limit == text
