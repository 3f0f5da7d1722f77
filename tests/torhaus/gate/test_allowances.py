"""What is left of a caller's budgets."""

from typing import Any

import msgspec

from tests.torhaus.cast import ALICE, DANA, MALLORY, NOW, World, github, run
from torhaus.gate.allowances import AT_ONCE, budgets, left, scarcest
from torhaus.limits.charges import key_name
from torhaus.model.access import Glob
from torhaus.model.limits import LimitRule, Limits, Per, Scarcity
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Window
from torhaus.policy.globs import compile_glob

HOURLY = Window(10, 3600.0)


def rule(name: str, **more: Any) -> LimitRule:
    return LimitRule(**{"name": name, "per": Per.USER, "budget": HOURLY, **more})


def rules(*limits: LimitRule, **servers: Window | None) -> Rules:
    made = {
        name: github(name=name, rate_limit=window)
        for name, window in (servers or {"github": None}).items()
    }
    return Rules(version="1", servers=made, limits=Limits(rules=limits))


def names(found: Rules, who: Principal, key: str = "") -> list[str]:
    return [charge.limit.partition(":")[0] for charge in budgets(found, who, key, NOW).values()]


def test_a_budget_over_several_servers_is_told_once() -> None:
    found = rules(rule("all"), rule("each", by_server=True), github=HOURLY, sentry=None)

    assert names(found, DANA) == ["github", "all", "each", "each"]


def test_servers_that_one_may_not_use_are_not_told_of() -> None:
    found = rules(github=HOURLY, sentry=HOURLY)

    assert names(found, ALICE) == ["github"]
    assert names(found, MALLORY) == []


def test_limits_of_single_tools_are_left_out() -> None:
    anything: tuple[Glob, ...] = (compile_glob("*"),)
    found = rules(rule("all"), rule("lists", tools=anything), rule("each", by_tool=True))

    assert names(found, ALICE) == ["all"]


def test_what_calls_use_is_gone() -> None:
    async def story() -> None:
        limited = rule("keys", per=Per.KEY)
        world = World(github(rate_limit=HOURLY)).knows_the_tools()
        world.rules = rules(limited, github=HOURLY)
        asking = msgspec.structs.replace(world.tool("list_issues"), key=b"one")
        await world.admit(asking)

        async def told(key: str) -> list[int]:
            found = await left(world.gate.counters, world.rules, ALICE, key, world.clock())
            return [each.left for each in found]

        assert await told("another") == [9, 10]
        mine = await left(world.gate.counters, world.rules, ALICE, key_name(b"one"), world.clock())
        assert [(each.left, each.reset) for each in mine] == [(9, 3600.0), (9, 3600.0)]

    run(story())


def test_of_each_limit_the_one_with_least_is_told():
    async def story() -> None:
        world = World(github(rate_limit=Window(2, 3600.0))).knows_the_tools()
        world.rules = rules(rule("all", per=Per.TOTAL), github=Window(2, 3600.0))
        for _ in range(2):
            await world.admit(world.tool("list_issues"))

        found = await scarcest(world.gate.counters, world.rules, [DANA, ALICE], world.clock())

        assert {limit.partition(":")[0]: each for limit, each in found.items()} == {
            "github": Scarcity(0, 3600.0, 1),
            "all": Scarcity(8, 3600.0, 0),
        }

    run(story())


def test_more_budgets_than_one_question_holds_are_all_told():
    async def story() -> None:
        world = World()
        many = [rule(f"limit {number}") for number in range(AT_ONCE + 1)]
        world.rules = rules(*many)

        found = await scarcest(world.gate.counters, world.rules, [ALICE], world.clock())

        assert len(found) == AT_ONCE + 1

    run(story())
