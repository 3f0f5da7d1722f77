"""What is counted by month, kept in the database, and told of budgets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.audit.scene import ALLOWED, call
from tests.torhaus.cast import Clock, run
from torhaus.limits.spending import by_tool, spent
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.cost import Costs, Price, SpendingCap
from torhaus.model.outcome import Answer, Answered, Failed, Limited, Outcome
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules
from torhaus.model.usage import Use, Used
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice
from torhaus.watch.usage import LATELY, Usage

FRESH = Answered(ALLOWED, Answer(result=b"{}"))
HIT = msgspec.structs.replace(FRESH, cached=True)
EURO = Price(Decimal(1), "EUR")


def costs(alert: str = "0.5", whose: str = "github") -> Costs:
    cap = SpendingCap(amount=Decimal(4), currency="EUR", alert=Decimal(alert))
    return Costs(servers={"github": EURO}, caps={whose: cap})


def listed(server: str) -> tuple[str, ...]:
    """The tools that servers list."""
    return ("list_issues", "get_issue") if server == "github" else ()


class Scene:
    def __init__(self, office: StateOffice, rules: Rules) -> None:
        self.office = office
        self.rules = rules
        self.clock = Clock()
        self.told: list[Announcement] = []
        self.usage = self.another()

    def another(self) -> Usage:
        """As a second process has it."""
        return Usage(self.office, lambda: self.rules, self.clock, self.told.append, listed)

    def calls(self, number: int, outcome: Outcome = FRESH, **changes: Any) -> None:
        for _ in range(number):
            self.usage.ended(call(**changes), outcome)

    async def counts(self, name: str | None = None) -> list[tuple[str, int, int]]:
        return [(each.use.tool, each.calls, each.saved) for each in await self.usage.used(name)]


@asynccontextmanager
async def scene(home: Path, rules: Rules | None = None) -> AsyncIterator[Scene]:
    database = Database(None, home)
    await database.open()
    try:
        yield Scene(StateOffice(database), rules or Rules(version="1"))
    finally:
        await database.close()


def play(home: Path, story: Callable[[Scene], Any], rules: Rules | None = None) -> None:
    async def whole() -> None:
        async with scene(home, rules) as made:
            await story(made)

    run(whole())


# -- counting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        (FRESH, [("list_issues", 1, 0)]),
        (HIT, [("list_issues", 0, 1)]),
        (msgspec.structs.replace(HIT, refreshed=True), [("list_issues", 1, 1)]),
        (Failed(ALLOWED, "down"), [("list_issues", 1, 0)]),
        (Failed(ALLOWED, "down", joined=True), []),
        (Limited(ALLOWED, "x", 1.0), []),
    ],
)
def test_every_end_is_counted_where_it_belongs(
    tmp_path: Path, outcome: Outcome, counted: list[tuple[str, int, int]]
) -> None:
    async def story(at: Scene) -> None:
        at.calls(1, outcome)

        assert await at.counts() == counted

    play(tmp_path, story)


def test_lists_cost_nothing_and_are_not_counted(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(3, method="tools/list", operation="tools/list")
        at.calls(1, method="resources/read", operation="resources/read")

        assert await at.counts() == [("resources/read", 1, 0)]

    play(tmp_path, story)


def test_what_a_caller_typed_for_a_tools_name_is_not_kept(tmp_path: Path) -> None:
    """It may be a token, and no table of the database is one for those."""
    prices = Costs(tools={("github", "searchcode"): EURO})

    async def story(at: Scene) -> None:
        for name in ("canary-1b9f", "canary-77c2", "canary-1b9f", "list_issues", "Search_Code"):
            at.calls(1, operation=name)

        assert await at.counts() == [("list_issues", 1, 0), ("other", 3, 0), ("searchcode", 1, 0)]
        async with at.office.read() as desk:
            used = await desk.usage.by_tool(at.usage.this_month())
        assert spent(used, "*", SpendingCap(amount=Decimal(9), currency="EUR"), prices) == 1

    play(tmp_path, story, Rules(version="1", costs=prices))


def test_sums_grow_over_writings_and_processes(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(2)
        await at.usage.write()
        at.calls(1)
        other = at.another()
        other.ended(call(), FRESH)
        await asyncio.gather(at.usage.write(), other.write())

        assert await at.counts() == [("list_issues", 4, 0)]

    play(tmp_path, story)


def test_a_month_ends_in_the_time_zone_of_the_file(tmp_path: Path) -> None:
    rules = Rules(version="1", timezone="Europe/Berlin")

    async def story(at: Scene) -> None:
        at.clock.now = datetime.fromisoformat("2026-11-01T00:30+01:00").timestamp()
        at.clock.turn(-3600.0)
        at.calls(1)
        at.clock.turn(3600.0)
        at.calls(2)

        assert at.usage.this_month() == "2026-11"
        assert await at.counts("2026-10") == [("list_issues", 1, 0)]
        assert await at.counts() == [("list_issues", 2, 0)]

    play(tmp_path, story, rules)


def test_sums_by_tool_put_users_together() -> None:
    used = [Used(Use("2026-11", "github", "t", who, ""), 1, 2) for who in ("a", "b")]

    (tally,) = by_tool(used).values()

    assert (tally.calls, tally.saved) == (2, 4)


# -- keeping --------------------------------------------------------------------------------------


class Broken(StateOffice):
    """An office whose database does not answer until it does."""

    down = True

    def write(self) -> Any:
        if self.down:
            raise StateError("the database is gone")
        return super().write()


def test_nothing_is_lost_while_the_database_is_gone(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        office = Broken(at.office._database)
        at.usage = Usage(office, lambda: at.rules, at.clock, at.told.append, listed)
        at.calls(2)
        with pytest.raises(StateError):
            await at.usage.write()
        at.calls(1, HIT)
        office.down = False

        assert await at.counts() == [("list_issues", 2, 1)]

    play(tmp_path, story)


def test_what_was_counted_is_kept_at_the_end(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(5)

        await at.usage.close()

        assert [each.calls for each in await at.another().used()] == [5]

    play(tmp_path, story)


@pytest.mark.parametrize("turns", range(0, 12, 3))
def test_a_writing_that_is_cancelled_counts_once(tmp_path: Path, turns: int) -> None:
    async def story(at: Scene) -> None:
        at.calls(3)
        writing = asyncio.ensure_future(at.usage.write())
        for _ in range(turns):
            await asyncio.sleep(0.0005)

        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await at.usage.close()

        assert [each.calls for each in await at.another().used()] == [3]

    play(tmp_path, story)


# -- budgets --------------------------------------------------------------------------------------


def test_people_are_told_once_at_the_share_and_once_at_the_end(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        texts = []
        for _ in range(5):
            at.calls(1)
            await at.usage.write()
            await at.usage.warn()
            await at.another().warn()
            texts.append(len(at.told))

        assert texts == [0, 1, 1, 2, 2]
        assert [news.kind for news in at.told] == [Kind.BUDGET, Kind.BUDGET]
        assert at.told[0].text == "2.00 of 4 EUR are spent this month on github (50%)."

    play(tmp_path, story, Rules(version="1", costs=costs()))


def test_one_step_over_both_is_told_once(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(6)
        await at.usage.write()
        await at.usage.warn()
        await at.usage.warn()

        (news,) = at.told
        assert "6.00 of 4 EUR" in news.text

    play(tmp_path, story, Rules(version="1", costs=costs()))


def test_a_new_month_begins_with_a_whole_budget(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(4)
        await at.usage.write()
        await at.usage.warn()
        at.clock.turn(40 * 86400.0)

        await at.usage.warn()
        assert len(at.told) == 1
        at.calls(2)
        await at.usage.write()
        await at.usage.warn()

        assert len(at.told) == 2

    play(tmp_path, story, Rules(version="1", costs=costs(whose="*")))


def test_hits_spend_nothing(tmp_path: Path) -> None:
    async def story(at: Scene) -> None:
        at.calls(100, HIT)
        await at.usage.write()
        await at.usage.warn()

        assert at.told == []

    play(tmp_path, story, Rules(version="1", costs=costs()))


def test_those_who_called_lately_are_known_for_a_while(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.calls(1)
        await scene.usage.write()
        who = scene.usage.lately()
        assert len(who) == 1

        scene.clock.turn(LATELY + 1)

        assert scene.usage.lately() == []

    play(tmp_path, story)
