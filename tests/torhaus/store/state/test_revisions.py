from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.store.state.revisions import CREDENTIALS, PEOPLE, StateRevisions, bump


def test_numbers_grow_over_all_names_together(place: Place) -> None:
    async def story() -> None:
        async with place.open() as database, database.write() as connection:
            first = await bump(connection, PEOPLE)
            second = await bump(connection, CREDENTIALS)
            third = await bump(connection, CREDENTIALS)

            assert first < second < third
            found = await StateRevisions(connection).every()
            assert (found[PEOPLE], found[CREDENTIALS]) == (first, third)

    run(story())
