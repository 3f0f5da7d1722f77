"""How `limits` and `plans` are written, and what is no such thing."""

import pytest

from tests.torhaus.config.stores import mistake, rules
from torhaus.model.limits import Pace, Slots
from torhaus.model.servers import Window

HOURLY = "name: a, requests: 5, window: 1h"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("requests: 100, window: 1h", Window(100, 3600.0)),
        ("requests: 100, window: 60", Window(100, 60.0)),
        ("requests: 10, window: 1s, burst: 3", Pace(10, 1.0, 3)),
        ("concurrent: 4", Slots(4, 900.0)),
        ("concurrent: 4, lease: 1m", Slots(4, 60.0)),
    ],
)
def test_each_kind_of_budget_has_its_keys(text: str, budget: object) -> None:
    assert rules(f"limits: [{{name: a, {text}}}]").limits.rules[0].budget == budget


@pytest.mark.parametrize("word", ["unlimited", "unlimitiert"])
def test_a_plan_may_be_unlimited_in_one_way(word: str) -> None:
    plan = rules(f"plans: {{team: {{calls_per_month: 50000, users: {word}}}}}").limits.allowances[0]

    assert (plan.calls, plan.users) == (50000, None)


@pytest.mark.parametrize(
    ("text", "path", "message", "fix"),
    [
        ("limits: {a: {}}", "limits", "must be a list", "- item"),
        ("limits: [{requests: 5, window: 1h}]", "limits[0].name", "missing", "add"),
        ("limits: [{name: a}]", "limits[0]", "requests or concurrent", "exactly one"),
        (f"limits: [{{{HOURLY}, concurrent: 1}}]", "limits[0]", "requests or concurrent", "one"),
        ("limits: [{name: a, requests: 5}]", "limits[0]", "go together", "window: 1h"),
        ("limits: [{name: a, concurrent: 5, window: 1h}]", "limits[0]", "go together", "window"),
        ("limits: [{name: a, concurrent: 5, burst: 2}]", "limits[0]", "burst", "remove burst"),
        ("limits: [{name: a, requests: 0, window: 1h}]", "limits[0].requests", "range", "1"),
        ("limits: [{name: a, requests: 1.5, window: 1h}]", "limits[0].requests", "whole", "dig"),
        ("limits: [{name: a, requests: 5, window: 0}]", "limits[0].window", "range", "1ms"),
        (f"limits: [{{{HOURLY}, per: team}}]", "limits[0].per", "user or role", "use"),
        (f"limits: [{{{HOURLY}, each: user}}]", "limits[0].each", "server or tool", "server"),
        (f"limits: [{{{HOURLY}, count: hits}}]", "limits[0].count", "upstream or all", "use"),
        (f"limits: [{{{HOURLY}, sever: x}}]", "limits[0].sever", "unknown key", "servers?"),
        ("limits: [{name: a, concurrent: 5, lease: 0}]", "limits[0].lease", "range", "1s"),
        ("plans: {team: {}}", "plans.team", "limits nothing", "calls_per_month"),
        ("plans: {team: {count: all}}", "plans.team", "limits nothing", "calls_per_month"),
        ("plans: {team: {users: 0}}", "plans.team.users", "range", "unlimited"),
        ("plans: {team: {users: many}}", "plans.team.users", "whole number", "digits"),
        ("plans: {team: {calls: 5}}", "plans.team.calls", "unknown key", "calls_per_month"),
        ("plans: [team]", "plans", "block of keys", "key: value"),
    ],
)
def test_a_mistake_is_named_with_line_path_and_fix(
    text: str, path: str, message: str, fix: str
) -> None:
    found = mistake(text)

    assert found[:2] == (1, path)
    assert message in found[2]
    assert fix in found[3]
