from sqlalchemy import inspect, text

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import approval, wanted
from torhaus.model.usage import Use, Used
from torhaus.store.state.office import StateOffice
from torhaus.store.state.people import COLUMNS, about, rename

NOT_PEOPLE = {"notices", "alembic_version", "sqlite_sequence", "teams", "revisions"} | {
    "refreshes",
    "departures",
    "seen",
    "clients",
    "codes",
    "vault_keys",
    "vault_holders",
}


def test_whatever_is_about_somebody_is_found_and_renamed(place: Place) -> None:
    async def story() -> None:
        async with place.open() as database:
            office = StateOffice(database)
            async with office.write() as desk:
                await desk.usage.add(
                    [
                        Used(Use("2026-11", "github", "get", "Alice@example.org", ""), 2, 1),
                        Used(Use("2026-11", "github", "get", "bob@example.org", ""), 7, 0),
                    ]
                )
            async with database.write() as connection:
                await connection.execute(
                    text(
                        "INSERT INTO grants (id, email, role, begins, ends, alone, granted_by, "
                        "created) VALUES ('g', 'bob@example.org', 'r', 1, 2, 0, "
                        "'alice@example.org', 1)"
                    )
                )

            async with database.read() as connection:
                found = await about(connection, "ALICE@example.org")
            assert [each["calls"] for each in found["usage"]] == [2]
            assert [each["id"] for each in found["grants"]] == ["g"]
            assert found["approvals"] == []

            async with database.write() as connection:
                assert await rename(connection, "alice@EXAMPLE.org", "p1:x") == 2
            async with database.read() as connection:
                assert not any((await about(connection, "alice@example.org")).values())
                renamed = await about(connection, "p1:x")
            assert [each["granted_by"] for each in renamed["grants"]] == ["p1:x"]
            assert [each["email"] for each in renamed["usage"]] == ["p1:x"]

    run(story())


def test_texts_and_lists_that_name_somebody_forget_him_too(place: Place) -> None:
    async def story() -> None:
        own = wanted(
            approvers=(("Carol@example.org", "leads"), ("xcarol@example.org",)),
            arguments=r'{"to":["carol@example.org","carol@example.org.uk"],"t":"a\ncarol@example.org"}',
            reason="carol@example.org has to agree",
        )
        async with place.open() as database:
            office = StateOffice(database)
            async with office.write() as desk:
                kept = approval("a1", wanted=own, comment="ask carol@example.org.")
                assert await desk.approvals.add(kept)
                assert await desk.approvals.add(approval("a2", wanted=wanted(digest=b"other")))
            async with database.write() as connection:
                assert await rename(connection, "carol@EXAMPLE.org", "p1:x") == 4
            async with office.read() as desk:
                found = await desk.approvals.get("a1")
        assert found is not None
        assert found.wanted.approvers == (("p1:x", "leads"), ("xcarol@example.org",))
        assert found.wanted.arguments == r'{"to":["p1:x","carol@example.org.uk"],"t":"a\np1:x"}'
        assert found.wanted.reason == "p1:x has to agree"
        assert found.comment == "ask p1:x."

    run(story())


def test_every_table_of_the_database_is_looked_into_or_known_to_name_nobody(place: Place) -> None:
    async def story() -> None:
        async with place.open() as database, database.read() as connection:
            tables = await connection.run_sync(names)
        assert tables - NOT_PEOPLE == set(COLUMNS)

    run(story())


def names(connection: object) -> set[str]:
    return set(inspect(connection).get_table_names())
