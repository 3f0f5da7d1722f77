"""The kill switch of servers and tools, in verdicts."""

import msgspec
import pytest

from tests.torhaus.policy.people import GITHUB, alice, call
from torhaus.gate.verdicts import Verdicts
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.stops import Stop, StopKind
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.decide import barred, decide
from torhaus.policy.stops import halted, shown, shut

NOW = 1_790_000_000.0


def stopped(target: str = "github", **more: float) -> Server:
    kind = StopKind.TOOL if "/" in target else StopKind.SERVER
    stop = Stop(
        id="s1",
        kind=kind,
        target=target,
        reason="keys have leaked",
        created=NOW,
        created_by="dana@example.org",
        **more,
    )
    return msgspec.structs.replace(GITHUB, stops=(stop,))


def test_a_stopped_server_refuses_everybody_and_says_why() -> None:
    verdict = decide(call("list_issues", by=alice("*"), at=stopped()), NOW)

    assert isinstance(verdict, Deny)
    assert (verdict.rule, verdict.code) == ("stop:s1", "stopped")
    assert "keys have leaked" in verdict.reason


@pytest.mark.parametrize("method", ["tools/list", "initialize", "resources/read"])
def test_a_stopped_server_answers_nothing_else_either(method: str) -> None:
    verdict = decide(call(method, by=alice("*"), at=stopped(), method=method), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.code == "stopped"


def test_nobody_listens_to_a_stopped_server() -> None:
    assert barred(alice("*"), stopped(), "127.0.0.1", "", NOW) is not None
    assert barred(alice("*"), stopped("github/create_issue"), "127.0.0.1", "", NOW) is None


@pytest.mark.parametrize("name", ["create_issue", "createIssue", "create-issue"])
def test_a_stopped_tool_is_stopped_under_every_spelling(name: str) -> None:
    at = stopped("github/create_issue")

    assert isinstance(decide(call(name, by=alice("*"), at=at), NOW), Deny)
    assert isinstance(decide(call("list_issues", by=alice("*"), at=at), NOW), Allow)


def test_a_stop_ends_by_itself() -> None:
    at = stopped(expires=NOW + 10)

    assert isinstance(decide(call("list_issues", by=alice("*"), at=at), NOW + 9.9), Deny)
    assert isinstance(decide(call("list_issues", by=alice("*"), at=at), NOW + 10), Allow)


def test_a_lifted_stop_holds_nobody_up() -> None:
    at = stopped(lifted_at=NOW + 1)

    assert isinstance(decide(call("list_issues", by=alice("*"), at=at), NOW + 2), Allow)
    assert shut(at, NOW + 2) is None


def test_only_the_stop_of_a_whole_server_shuts_it() -> None:
    assert shut(GITHUB, NOW) is None
    assert shut(stopped("github/create_issue"), NOW) is None
    assert shut(stopped(), NOW) is not None


def test_verdicts_of_before_are_not_remembered_through_a_stop() -> None:
    verdicts, who = Verdicts(), alice("*")
    fine = call("list_issues", by=who)
    assert isinstance(verdicts.decide(fine, NOW), Allow)

    held = msgspec.structs.replace(fine, server=stopped())
    assert isinstance(verdicts.decide(held, NOW), Deny)
    assert isinstance(verdicts.decide(fine, NOW), Allow)


def test_whoever_waits_for_a_stopped_tool_waits_no_longer() -> None:
    assert halted(stopped(), "list_issues", NOW) is not None
    assert halted(stopped(), "", NOW) is not None
    assert halted(stopped("github/create_issue"), "create_issue", NOW) is not None
    assert halted(stopped("github/create_issue"), "list_issues", NOW) is None
    assert halted(stopped("github/create_issue"), "", NOW) is None
    assert halted(stopped(expires=NOW), "list_issues", NOW) is None


def of(kind: StopKind, target: str, **more: float) -> Stop:
    return Stop(
        id="s",
        kind=kind,
        target=target,
        reason="a token leaked",
        created=NOW,
        created_by="dana@example.org",
        **more,
    )


STOPS = (
    of(StopKind.USER, "mallory@example.org"),
    of(StopKind.KEY, "adm_1"),
    of(StopKind.SERVER, "github", expires=NOW + 60),
    of(StopKind.TOOL, "github/delete_repository"),
    of(StopKind.SERVER, "jira"),
    of(StopKind.SERVER, "over", expires=NOW),
)


def seen(viewer: Principal | None) -> dict[str, tuple[str, str]]:
    """Target -> reason and by whom."""
    rules = Rules(version="1", servers={"github": GITHUB})
    return {each.target: (each.reason, each.by) for each in shown(STOPS, viewer, rules, NOW)}


def test_a_stranger_sees_which_servers_are_stopped_and_not_why() -> None:
    assert seen(None) == {"github": ("", ""), "jira": ("", "")}


def test_who_may_use_a_server_sees_why_it_and_its_tools_are_stopped_and_not_by_whom() -> None:
    found = seen(alice("github:read"))

    assert found == {
        "github": ("a token leaked", ""),
        "github/delete_repository": ("a token leaked", ""),
        "jira": ("", ""),
    }


def test_who_administers_a_server_sees_by_whom_it_was_stopped_and_no_people() -> None:
    found = seen(alice("github:admin"))

    assert found["github"] == ("a token leaked", "dana@example.org")
    assert found["jira"] == ("", "")
    assert not {"adm_1", "mallory@example.org"} & found.keys()


def test_who_could_lift_them_sees_all_of_those_in_force() -> None:
    found = seen(alice("*", on="*"))

    assert set(found.values()) == {("a token leaked", "dana@example.org")}
    assert found.keys() == {each.target for each in STOPS} - {"over"}
