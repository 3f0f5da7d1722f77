import pytest

from tests.torhaus.policy.people import GITHUB, SENTRY, alice, call
from torhaus.model.access import Access
from torhaus.model.people import Principal
from torhaus.model.verdict import Deny
from torhaus.policy.decide import decide
from torhaus.policy.visible import may_use, visible

NOW = 1_700_000_000.0


def on(who: Principal, server: str = "github") -> Access:
    return who.phase(NOW).on(server)


@pytest.mark.parametrize(
    ("permission", "tool", "seen"),
    [
        ("github:read", "list_issues", True),
        ("github:read", "create_issue", False),
        ("github:delete", "label_write", True),
        ("github:admin", "label_write", False),
        ("github:read", "frobnicate", False),
        ("github:*", "frobnicate", True),
    ],
)
def test_a_tool_is_shown_when_some_argument_could_be_allowed(
    permission: str, tool: str, seen: bool
) -> None:
    assert visible(on(alice(permission)), GITHUB, tool, {}) is seen


def test_a_dispatcher_is_shown_to_whoever_may_run_one_of_its_tools() -> None:
    runs = on(alice("sentry:seer:execute", on="sentry"), "sentry")
    reads = on(alice("sentry:seer:read", on="sentry"), "sentry")

    assert visible(runs, SENTRY, "execute_sentry_tool", {})
    assert not visible(reads, SENTRY, "analyze_issue_with_seer", {})


def test_a_hint_hides_what_it_makes_refused() -> None:
    hints = {"readOnlyHint": False}

    assert not visible(on(alice("github:read")), GITHUB, "list_issues", hints)
    assert isinstance(decide(call("list_issues", hints=hints), NOW), Deny)


def test_a_server_is_used_with_any_permission_on_it() -> None:
    assert may_use(alice("github:issues:read"), GITHUB, NOW)
    assert not may_use(alice("github:issues:read"), SENTRY, NOW)
    assert may_use(alice("*:read", on="*"), SENTRY, NOW)
