import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB
from tests.torhaus.store.state.requests import NOW
from torhaus.model.accounts import Password

KEPT = Password(
    email=ALICE, hash="$argon2id$x", second_factor=b"\x00\xff", recovery=("aa", "bb"), changed=NOW
)


def test_a_local_account_is_kept_and_removed(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.passwords.put(KEPT)
            assert await desk.passwords.get(ALICE) == KEPT
            plain = msgspec.structs.replace(KEPT, second_factor=None)
            await desk.passwords.put(plain)
            assert await desk.passwords.get(ALICE) == plain
            assert await desk.passwords.get(BOB) is None
            assert await desk.passwords.remove(ALICE)
            assert not await desk.passwords.remove(ALICE)

    run(story())


def test_a_code_is_used_once_and_an_older_one_never_again(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.passwords.put(KEPT)

            assert await desk.passwords.step(ALICE, 100)
            assert not await desk.passwords.step(ALICE, 100)
            assert not await desk.passwords.step(ALICE, 99)
            assert await desk.passwords.step(ALICE, 101)
            assert not await desk.passwords.step(BOB, 101)

    run(story())


def test_a_recovery_code_is_spent_by_one_of_two(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.passwords.put(KEPT)

            assert await desk.passwords.spend(ALICE, KEPT, ("bb",))
            assert not await desk.passwords.spend(ALICE, KEPT, ("bb",))
            found = await desk.passwords.get(ALICE)
            assert found is not None
            assert found.recovery == ("bb",)

    run(story())
