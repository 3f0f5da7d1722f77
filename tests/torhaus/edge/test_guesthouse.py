"""Somebody in front of many servers, at the door of each."""

from tests.torhaus.cast import run
from tests.torhaus.edge.test_hall import call
from tests.torhaus.gate.aggregate.crowd import open_place


def test_a_caller_is_at_each_servers_door_the_one_he_is_at_the_house() -> None:
    async def story() -> None:
        async with open_place() as place:
            dana = await place.come()

            await call(dana, "docs__get__it")
            await call(dana, "tea__get__it")

            users = {each.user.email for each in place.world.ledger.noted[-2:]}
            assert len(users) == 1

    run(story())
