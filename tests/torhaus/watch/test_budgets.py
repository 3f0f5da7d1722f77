"""What is left of the limits, as it was at the last look."""

from collections.abc import Mapping

from tests.torhaus.cast import run
from torhaus.model.limits import Scarcity
from torhaus.watch.budgets import Budgets


def test_a_look_that_fails_leaves_what_was_seen_before():
    seen = {"github": Scarcity(3, 12.0, 0)}
    looks = [seen]

    async def look() -> Mapping[str, Scarcity]:
        return looks.pop()  # the second time there is none: IndexError

    async def story() -> None:
        budgets = Budgets(look)
        await budgets.once()
        assert budgets.left == seen
        await budgets.once()
        assert budgets.left == seen

    run(story())
