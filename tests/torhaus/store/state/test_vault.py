import base64
import os
import subprocess
from pathlib import Path

import msgspec
from sqlalchemy import text

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.identity.sealing import CHANCE, KeyRing, row
from torhaus.model.vault import Kept, Standing, VaultKind
from torhaus.store.state.vault import StateVault

CANARY = b"canary-7c0ffee-upstream-token"
RING = KeyRing([b"k" * 32])
BOUND = row("vault", "vlt_1")


def kept(id: str = "vlt_1", **changes: object) -> Kept:
    sealed = RING.seal(RING.first, CANARY, BOUND, os.urandom(CHANCE))
    made = Kept(
        id=id,
        server="github",
        kind=VaultKind.BEARER,
        key_id=RING.first,
        sealed=sealed,
        created=1.5,
        created_by="dana@example.org",
        rotated=1.5,
    )
    return msgspec.structs.replace(made, **changes)


def test_rows_come_back_as_they_were_kept(place: Place) -> None:
    first = kept(expires=9.5, used=2.5, issuer="https://as.example", account="a", name="n")
    hers = kept("vlt_2", email="alice@example.org", kind=VaultKind.OAUTH_USER)
    old = kept("vlt_0", state=Standing.PREVIOUS)
    other = kept("vlt_3", server="sentry")

    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                for each in (old, first, hers, other):
                    await desk.vault.add(each)

            async with office.read() as desk:
                assert await desk.vault.get("vlt_1") == msgspec.structs.replace(first)
                assert await desk.vault.get("vlt_9") is None
                assert {each.id for each in await desk.vault.of("github")} == {
                    "vlt_0",
                    "vlt_1",
                    "vlt_2",
                }
                assert await desk.vault.of("github", "alice@example.org") == [hers]
                assert len(await desk.vault.every(10)) == 4
                assert await desk.vault.key_ids() == [RING.first]

    run(story())


def test_of_two_who_replace_a_version_one_does(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.vault.add(kept())

            assert await desk.vault.replace(kept(version=2, rotated=3.0), 1)
            assert not await desk.vault.replace(kept(version=2, rotated=4.0), 1)
            found = await desk.vault.get("vlt_1")
            assert found is not None
            assert (found.version, found.rotated) == (2, 3.0)

    run(story())


def test_of_two_who_would_refresh_one_does_until_his_time_is_over(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.vault.add(kept())

            assert await desk.vault.claim("vlt_1", 1, 100.0, 130.0)
            assert not await desk.vault.claim("vlt_1", 1, 129.0, 160.0)
            assert await desk.vault.claim("vlt_1", 1, 130.0, 160.0)
            assert not await desk.vault.claim("vlt_1", 2, 500.0, 530.0)
            await desk.vault.release("vlt_1", 1)
            assert await desk.vault.claim("vlt_1", 1, 131.0, 161.0)

    run(story())


def test_every_change_that_others_must_hear_of_counts(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            assert await desk.vault.revision() == 0
            await desk.vault.add(kept())
            assert await desk.vault.revision() == 1
            assert await desk.vault.move("vlt_1", Standing.CURRENT, Standing.PREVIOUS)
            assert not await desk.vault.move("vlt_1", Standing.CURRENT, Standing.PREVIOUS)
            assert await desk.vault.revision() == 2
            await desk.vault.trouble("vlt_1", "it was refused")
            assert await desk.vault.revision() == 2
            assert await desk.vault.remove("vlt_1")
            assert not await desk.vault.remove("vlt_1")
            assert await desk.vault.revision() == 3

    run(story())


def test_the_newest_are_found_and_everybodys_come_first(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, email in enumerate(("a@x", "", "b@x", "")):
                made = kept(f"vlt_{number}", email=email, rotated=float(number))
                await desk.vault.add(made)

            assert [each.id for each in await desk.vault.newest(0.0, 9)] == [
                *("vlt_3", "vlt_1"),
                *("vlt_2", "vlt_0"),
            ]
            assert [each.id for each in await desk.vault.newest(2.0, 1)] == ["vlt_3"]

    run(story())


def test_rows_under_other_keys_are_found_and_wrapped_anew(place: Place) -> None:
    both = KeyRing([b"n" * 32, b"k" * 32])

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.vault.add(kept())
            (found,) = await desk.vault.foreign(both.first, 5)
            nonce = os.urandom(12)
            sealed = both.rewrap(found.key_id, found.sealed, BOUND, nonce, both.first)

            assert await desk.vault.rewrap(found, sealed, both.first)
            assert not await desk.vault.rewrap(found, sealed, both.first)
            assert await desk.vault.foreign(both.first, 5) == []
            now = await desk.vault.get("vlt_1")
            assert now is not None
            assert both.open(now.key_id, now.sealed, BOUND) == CANARY

    run(story())


def test_the_files_of_the_database_hold_no_secret(tmp_path: Path) -> None:
    place = Place(tmp_path, None)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.vault.add(kept())

    run(story())
    dump = subprocess.run(
        ["grep", "-rlaE", CANARY.decode(), str(tmp_path)], capture_output=True, text=True
    )
    assert dump.stdout == ""
    assert (tmp_path / "state.db").stat().st_size > 0


def test_nothing_that_a_database_tells_of_a_row_is_the_secret(place: Place) -> None:
    """What a dump holds: every column of every row, as both databases give it."""

    async def story() -> None:
        async with place.open() as database:
            async with database.write() as connection:
                await StateVault(connection).add(kept())
            async with database.read() as connection:
                found = await connection.execute(text("SELECT * FROM vault"))
                rows = [dict(row._mapping) for row in found]

        (row,) = rows
        values = [bytes(v) if isinstance(v, memoryview) else v for v in row.values()]
        dump = b"|".join(v if isinstance(v, bytes) else str(v).encode() for v in values)
        for spelled in (CANARY, CANARY.hex().encode(), base64.b64encode(CANARY)[:-4]):
            assert spelled not in dump
        assert row["key_id"] == RING.first

    run(story())


def test_who_leaves_takes_his_own_along_and_nobody_elses(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id, email in (("vlt_1", "alice@x"), ("vlt_2", "alice@x"), ("vlt_3", "bob@x")):
                await desk.vault.add(kept(id, email=email))
            await desk.vault.add(kept("vlt_4"))
            before = await desk.vault.revision()

            assert await desk.vault.leave("alice@x") == 2
            assert await desk.vault.leave("alice@x") == 0
            assert await desk.vault.leave("") == 0
            assert [each.id for each in await desk.vault.every(9)] == ["vlt_4", "vlt_3"]
            assert await desk.vault.revision() == before + 1

    run(story())


def test_what_came_of_a_providers_word_goes_with_it_and_nothing_else(place: Place) -> None:
    alice, bob = "alice@example.org", "bob@example.org"
    word = {"name": "acme", "server": "idp:acme", "kind": VaultKind.IDENTITY}
    came = {"name": "acme", "kind": VaultKind.OAUTH_ENTERPRISE}
    every = [
        kept("vlt_1", email=alice, **word),
        kept("vlt_2", email=alice, **came),
        kept("vlt_3", email=bob, **came),
        kept("vlt_4", email=alice, **{**came, "name": "other"}),
        kept("vlt_5", email=alice, kind=VaultKind.OAUTH_USER),
        kept("vlt_6", name="acme", kind=VaultKind.HEADER),
    ]

    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                for each in every:
                    await desk.vault.add(each)
                before = await desk.vault.revision()
                assert await desk.vault.disown("acme", alice) == 2
                assert await desk.vault.revision() > before
            async with office.write() as desk:
                assert {each.id for each in await desk.vault.every(9)} == {
                    "vlt_3",
                    "vlt_4",
                    "vlt_5",
                    "vlt_6",
                }
                assert await desk.vault.disown("acme") == 1
                assert await desk.vault.disown("acme") == 0

    run(story())
