"""What `limits` and `plans` mean: whose calls draw on which budget."""

import pytest

from tests.torhaus.config.stores import doubts, mistake, rules
from torhaus.limits.charges import charges
from torhaus.model.call import Call
from torhaus.model.limits import NO_LIMITS, Per
from torhaus.model.rules import Rules

PEOPLE = """
groups: {ops: [alice@example.org]}
"""
HOURLY = "name: a, requests: 5, window: 1h"


def drawn(found: Rules, server: str, tool: str) -> list[str]:
    """What Alice's call draws on."""
    call = Call(
        id="req_1",
        caller=found.principals["alice@example.org"],
        server=found.servers[server],
        method="tools/call",
        operation=tool,
        arguments={},
        payload=b"{}",
        ip="192.0.2.7",
    )
    return [charge.limit for charge in charges(call, found.limits, 1_790_000_000.0)]


def test_without_any_there_are_none() -> None:
    assert rules("").limits is NO_LIMITS


@pytest.mark.parametrize(
    ("more", "github", "sentry"),
    [
        ("", True, True),
        ("servers: github", True, False),
        ("servers: [github, sentry]", True, True),
        ('servers: "*"', True, True),
        ("tools: github.list_*", True, False),
        ("tools: list_*", True, True),
        ("tools: create_*", False, False),
        ("servers: github, tools: LIST-ISSUES", True, False),
        ("roles: developer", True, True),
        ("groups: [ops]", True, True),
        ("users: [Alice@Example.org]", True, True),
        ("servers: [slack]", False, False),
        ("tools: slack.post_*", False, False),
    ],
)
def test_a_limit_holds_for_the_calls_it_names(more: str, github: bool, sentry: bool) -> None:
    found = rules(f"{PEOPLE}limits: [{{{HOURLY}, {more}}}]".replace(", }", "}"))

    assert bool(drawn(found, "github", "list_issues")) == github
    assert bool(drawn(found, "sentry", "list_issues")) == sentry


def test_each_key_of_a_limit_reaches_it() -> None:
    text = f"limits: [{{{HOURLY}, per: key, each: tool, count: all}}]"

    (rule,) = rules(text).limits.rules

    assert (rule.name, rule.per) == ("a", Per.KEY)
    assert (rule.by_server, rule.by_tool, rule.hits) == (True, True, True)


def test_a_plan_is_for_the_month_of_the_servers_time_zone() -> None:
    text = f"{PEOPLE}server: {{timezone: Europe/Berlin}}\nplans:\n"
    text += "  team: {calls_per_month: 50000, users: 5, groups: [ops], count: all}\n"

    (plan,) = rules(text).limits.allowances

    assert (plan.name, plan.calls, plan.users) == ("team", 50000, 5)
    assert (plan.groups, plan.hits, str(plan.zone)) == (frozenset({"ops"}), True, "Europe/Berlin")


@pytest.mark.parametrize(
    ("more", "path", "message", "fix"),
    [
        ("servers: gihtub", "limits[0].servers", "no server 'gihtub'", "did you mean github?"),
        ("servers: [sentry, gihtub]", "limits[0].servers[1]", "no server", "github"),
        ("tools: gihtub.list_*", "limits[0].tools", "no server 'gihtub'", "github?"),
        ("tools: [list_a, 'gihtub:b']", "limits[0].tools[1]", "no server 'gihtub'", "github?"),
        ("tools: [github.a, sentry.b]", "limits[0].tools", "different servers", "one limit"),
        ("servers: sentry, tools: github.a", "limits[0].tools", "different servers", "one"),
        ("roles: develper", "limits[0].roles", "no such role", "did you mean developer?"),
        ("users: [alise@example.org]", "limits[0].users[0]", "no such user", "alice@example.org"),
        ("groups: nobodies", "limits[0].groups", "no such group", "define it"),
    ],
)
def test_a_limit_that_would_hold_for_nothing_is_refused(
    more: str, path: str, message: str, fix: str
) -> None:
    found = mistake(f"limits: [{{{HOURLY}, {more}}}]")

    assert found[:2] == (1, path)
    assert message in found[2]
    assert fix in found[3]


def test_a_server_that_may_come_yet_is_doubted() -> None:
    (found,) = doubts(f"limits: [{{{HOURLY}, servers: slack}}]")

    assert found[:2] == ("limits[0].servers", "no server 'slack' is configured")


def test_one_name_is_for_one_budget() -> None:
    text = "limits:\n- {name: a, concurrent: 1}\n- {name: b, concurrent: 1}\n"

    found = mistake(text + "- {name: a, concurrent: 2}")

    assert found[:2] == (4, "limits[2].name")
    assert "has this name already" in found[2]


def test_a_plan_for_a_group_that_is_not_there_is_refused() -> None:
    found = mistake("plans: {team: {users: 5, groups: [ops]}}")

    assert found[1:3] == ("plans.team.groups[0]", "no such group: 'ops'")
