import asyncio

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB, credential
from tests.torhaus.store.state.requests import NOW
from torhaus.model.credentials import CredentialKind, Kept


def test_a_credential_comes_back_as_kept(place: Place) -> None:
    token = credential(
        "t1", kind=CredentialKind.ACCESS, family="f1", audience="", scopes=(), expires=None
    )

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.credentials.add(credential(), "192.0.2.7")
            await desk.credentials.add(token, "")

            found = await desk.credentials.get(credential().digest)
            assert found == Kept(credential=credential(), ip="192.0.2.7", revision=1)
            assert await desk.credentials.named("t1") == Kept(credential=token, revision=2)
            assert await desk.credentials.get(b"x" * 32) is None
            assert await desk.credentials.named("nobody") is None
            assert [each.credential.id for each in await desk.credentials.of(ALICE)] == ["k1", "t1"]
            assert await desk.credentials.of(BOB) == []

    run(story())


def test_a_credential_ends_once(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.credentials.add(credential(), "")

            assert await desk.credentials.end(credential().digest, BOB, NOW + 1)
            assert not await desk.credentials.end(credential().digest, ALICE, NOW + 2)
            assert not await desk.credentials.end(b"x" * 32, ALICE, NOW + 2)

            kept = await desk.credentials.named("k1")
            assert kept is not None
            assert (kept.ended, kept.ended_by, kept.revision) == (NOW + 1, BOB, 2)

    run(story())


def test_all_of_one_person_end_at_once(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id, email in (("k1", ALICE), ("k2", ALICE), ("k3", BOB)):
                await desk.credentials.add(credential(id, email=email), "")
            await desk.credentials.end(credential("k1").digest, ALICE, NOW)

            ended = await desk.credentials.end_all(ALICE, BOB, NOW + 1)

            assert ended == (credential("k2").digest,)
            assert [each.id for each in await desk.credentials.live(NOW)] == ["k3"]

    run(story())


def test_what_is_over_is_not_live(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.credentials.add(credential("soon", expires=NOW + 1), "")
            await desk.credentials.add(credential("ever", expires=None), "")

            assert len(await desk.credentials.live(NOW)) == 2
            assert [each.id for each in await desk.credentials.live(NOW + 1)] == ["ever"]

    run(story())


def test_changes_are_told_in_order_to_who_asks_since_when(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id in ("k1", "k2", "k3"):
                await desk.credentials.add(credential(id), "")
            await desk.credentials.end(credential("k1").digest, BOB, NOW)

            since = await desk.credentials.since(2)
            assert [each.credential.id for each in since] == ["k3", "k1"]
            assert [each.ended for each in since] == [None, NOW]
            assert await desk.credentials.since(since[-1].revision) == []
            assert (await desk.revisions.every())["credentials"] == since[-1].revision

    run(story())


def test_who_has_seen_a_number_has_missed_none_before_it(elephant: Place) -> None:
    """A transaction that is kept late must not hide behind one that was kept early."""

    async def story() -> None:
        async with elephant.office() as office:
            begun, go = asyncio.Event(), asyncio.Event()

            async def slow() -> None:
                async with office.write() as desk:
                    await desk.credentials.add(credential("slow"), "")
                    begun.set()
                    await go.wait()

            async def quick() -> None:
                async with office.write() as desk:
                    await desk.credentials.add(credential("quick"), "")

            first = asyncio.create_task(slow())
            await begun.wait()
            second = asyncio.create_task(quick())
            done, _ = await asyncio.wait([second], timeout=0.3)
            assert not done

            go.set()
            await asyncio.gather(first, second)
            async with office.read() as desk:
                found = await desk.credentials.since(0)
            assert [each.credential.id for each in found] == ["slow", "quick"]

    run(story())


def test_use_is_kept_and_never_goes_back(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.credentials.add(credential(), "")
            await desk.credentials.use({credential().digest: NOW + 5, b"x" * 32: NOW})
            await desk.credentials.use({credential().digest: NOW + 2})
            await desk.credentials.use({})

            kept = await desk.credentials.named("k1")
            assert kept is not None
            assert kept.used == NOW + 5

    run(story())


def test_the_newest_are_listed(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number in range(3):
                await desk.credentials.add(credential(f"k{number}", created=NOW + number), "")

            token = credential("t9", kind=CredentialKind.ACCESS, created=NOW + 9)
            await desk.credentials.add(token, "")

            newest = await desk.credentials.newest(CredentialKind.KEY, 2)
            assert [each.credential.id for each in newest] == ["k2", "k1"]

    run(story())


def test_keys_are_forgotten_long_after_their_end_and_nothing_else_with_them(place: Place) -> None:
    later = {"k3": NOW + 60, "k4": None, "t1": NOW}

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id, expires in {"k1": None, "k2": NOW, **later}.items():
                kind = CredentialKind.ACCESS if id == "t1" else CredentialKind.KEY
                await desk.credentials.add(credential(id, kind=kind, expires=expires), "")
            for id in ("k1", "t1"):
                await desk.credentials.end(credential(id).digest, BOB, NOW)

            await desk.credentials.forget_keys(NOW)
            assert len(await desk.credentials.of(ALICE)) == 5
            await desk.credentials.forget_keys(NOW + 1)

            left = await desk.credentials.of(ALICE)
            assert sorted(each.credential.id for each in left) == ["k3", "k4", "t1"]

    run(story())
