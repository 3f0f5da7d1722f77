import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.torhaus.asked import HOURLY, call, person, server
from torhaus.limits.charges import charges, hit_charges
from torhaus.model.access import Glob
from torhaus.model.limits import Allowance, LimitRule, Limits, Pace, Per, Quota, Seats, Slots
from torhaus.model.servers import Window

LIMITED = server(rate_limit=HOURLY)


def test_a_tool_call_draws_on_its_callers_window_with_the_server() -> None:
    (charge,) = charges(call("list_issues", at=LIMITED))

    assert (charge.key, charge.budget) == ("github u-alice", HOURLY)
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
    bob = person("bob")
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


TEN = Window(10, 60.0)


def keys(limits: Limits, asked: Any, **more: Any) -> list[str]:
    return [charge.key for charge in charges(asked, limits, 0.0, **more)]


def one(**rule: Any) -> Limits:
    return Limits(rules=(LimitRule(**{"name": "n", "per": Per.USER, "budget": TEN, **rule}),))


@pytest.mark.parametrize(
    ("per", "shared"),
    [
        (Per.USER, {"same user"}),
        (Per.KEY, set()),
        (Per.ROLE, {"same user", "same role"}),
        (Per.GROUP, {"same user", "same group"}),
        (Per.TOTAL, {"same user", "same role", "same group", "stranger"}),
    ],
)
def test_a_budget_is_shared_by_those_it_says(per: Per, shared: set[str]) -> None:
    limits = one(per=per)
    alice = person("alice", "developer", groups=("web",))
    base = keys(limits, call("x", by=alice), key="k1")
    others = {
        "same user": keys(limits, call("x", by=alice), key="k2"),
        "same key": keys(limits, call("x", by=alice), key="k1"),
        "same role": keys(limits, call("x", by=person("bob", "developer", groups=("ops",)))),
        "same group": keys(limits, call("x", by=person("bob", "admin", groups=("web",)))),
        "stranger": keys(limits, call("x", by=person("bob", "admin", groups=("ops",)))),
    }

    assert len(base) == 1
    assert {name for name, held in others.items() if held == base} == {*shared, "same key"}


def test_every_role_and_group_of_the_caller_has_its_budget() -> None:
    eve = person("eve", "developer", "oncall", groups=("web", "ops"))

    assert len(keys(one(per=Per.ROLE), call("x", by=eve))) == 2
    assert len(keys(one(per=Per.GROUP), call("x", by=eve))) == 2
    assert len(keys(one(per=Per.ROLE, roles=frozenset({"oncall"})), call("x", by=eve))) == 1


def test_without_a_known_key_the_budget_per_key_is_the_callers() -> None:
    mine, bobs = (keys(one(per=Per.KEY), call("x", by=person(name))) for name in ("a", "b"))

    assert len(mine) == len(bobs) == 1
    assert mine != bobs


@pytest.mark.parametrize(
    ("rule", "applies"),
    [
        ({}, True),
        ({"servers": frozenset({"github"})}, True),
        ({"servers": frozenset({"sentry"})}, False),
        ({"roles": frozenset({"developer"})}, True),
        ({"roles": frozenset({"admin"})}, False),
        ({"groups": frozenset({"web"})}, True),
        ({"groups": frozenset({"ops"})}, False),
        ({"users": frozenset({"alice@example.org"})}, True),
        ({"users": frozenset({"bob@example.org"})}, False),
        ({"roles": frozenset({"admin"}), "groups": frozenset({"web"})}, True),
        ({"tools": (Glob("search*", re.compile("search[^/]*")),)}, True),
        ({"tools": (Glob("list*", re.compile("list[^/]*")),)}, False),
    ],
)
def test_a_limit_applies_to_whom_and_what_it_names(rule: dict[str, Any], applies: bool) -> None:
    asked = call("search_Code", by=person("alice", "developer", groups=("web",)))

    assert bool(keys(one(**rule), asked)) is applies


def test_a_limit_on_tools_leaves_resources_alone() -> None:
    limits = one(tools=(Glob("*", re.compile(".*")),))

    assert keys(limits, call("resources/read", method="resources/read")) == []


def test_budgets_can_be_told_apart_by_server_and_by_tool() -> None:
    asked = [call("a"), call("b"), call("a", at=server("sentry")), call("A", at=server())]

    def budgets(**rule: Any) -> int:
        return len({keys(one(**rule), each)[0] for each in asked})

    assert budgets() == 1
    assert budgets(by_server=True) == 2
    assert budgets(by_tool=True) == 2
    assert budgets(by_server=True, by_tool=True) == 3


def test_the_name_of_a_tool_cannot_draw_on_another_budget() -> None:
    limits = Limits(
        rules=tuple(
            LimitRule(name=name, per=per, budget=TEN, by_tool=True)
            for name, per in (("a", Per.USER), ("a\nuser\nu-alice\n ", Per.TOTAL))
        )
    )

    found = keys(limits, call("x")) + keys(limits, call("user\nu-alice\n x"))

    assert len(set(found)) == 4


def test_a_plan_counts_calls_and_people_in_calendar_months() -> None:
    zone = ZoneInfo("Europe/Berlin")
    limits = Limits(allowances=(Allowance(name="Free", zone=zone, calls=1000, users=5),))
    now = 1_793_483_999.0  # 2026-10-31 23:59:59 in Berlin, where October ended an hour ago in UTC+2

    calls, users = charges(call("x"), limits, now)

    assert calls.budget == Quota(1000, "2026-10", 1_793_487_600.0)
    assert users.budget == Seats(5, "u-alice", "2026-10", 1_793_487_600.0)
    assert calls.limit == "Free: 1000 calls per month"


def test_a_plan_of_groups_leaves_others_alone() -> None:
    plan = Allowance(name="Team", zone=ZoneInfo("UTC"), calls=5, groups=frozenset({"web"}))
    limits = Limits(allowances=(plan,))

    assert len(charges(call("x", by=person("a", groups=("web",))), limits, 0.0)) == 1
    assert charges(call("x", by=person("a", groups=("ops",))), limits, 0.0) == ()


def test_hits_are_free_where_nobody_says_otherwise() -> None:
    rules = tuple(
        LimitRule(name=f"{hits}", per=Per.USER, budget=budget, hits=hits)
        for hits in (True, False)
        for budget in (TEN, Pace(1, 1.0, 5), Slots(5))
    )
    plans = (Allowance(name="p", zone=ZoneInfo("UTC"), calls=5, hits=True),)
    limits = Limits(rules=rules, allowances=plans)

    assert len(charges(call("x", at=LIMITED), limits)) == 8
    assert len(hit_charges(call("x", at=LIMITED), limits)) == 4
    counted = server(rate_limit=HOURLY, rate_counts_hits=True)
    assert len(hit_charges(call("x", at=counted))) == 1


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result"])
def test_polling_a_task_is_free_but_where_hits_count(method: str) -> None:
    counted = server(rate_limit=HOURLY, rate_counts_hits=True)

    assert charges(call(method, at=LIMITED, method=method)) == ()
    assert len(charges(call(method, at=counted, method=method))) == 1
    for other in ("tasks/cancel", "tasks/update"):
        assert charges(call(other, at=counted, method=other)) == ()
