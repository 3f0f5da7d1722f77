from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB, credential, family
from tests.torhaus.store.state.requests import NOW
from torhaus.model.credentials import FamilyKind

ISSUER = "https://idp.example.org"


def test_a_family_comes_back_as_kept(place: Place) -> None:
    consent = family(
        "f2",
        kind=FamilyKind.CONSENT,
        client_id="https://client.example/metadata.json",
        audience="github",
        parent="f1",
        created=NOW + 1,
    )

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.families.add(family())
            await desk.families.add(consent)

            assert await desk.families.get("f1") == family()
            assert await desk.families.get("f3") is None
            assert await desk.families.of(ALICE) == [consent, family()]
            assert await desk.families.of(BOB) == []
            assert await desk.families.begun_in("f1") == [consent]

    run(story())


def test_a_family_ends_with_its_credentials_and_no_others(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.families.add(family())
            for id, of in (("t1", "f1"), ("t2", "f1"), ("t3", "f2"), ("k1", "")):
                await desk.credentials.add(credential(id, family=of), "")
            await desk.credentials.end(credential("t2").digest, ALICE, NOW)

            ended = await desk.families.end("f1", BOB, "signed out", NOW + 1)

            assert ended == (credential("t1").digest,)
            kept = await desk.families.get("f1")
            assert kept is not None
            assert (kept.ended, kept.ended_by, kept.reason) == (NOW + 1, BOB, "signed out")
            assert {each.id for each in await desk.credentials.live(NOW)} == {"t3", "k1"}
            assert await desk.families.end("f1", ALICE, "again", NOW + 2) == ()
            assert await desk.families.get("f1") == kept

    run(story())


def test_keys_do_not_end_with_the_family_that_has_no_name(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.credentials.add(credential(family=""), "")

            assert await desk.families.end("", BOB, "", NOW) == ()
            assert len(await desk.credentials.live(NOW)) == 1

    run(story())


def test_all_families_of_one_person_end_at_once(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.families.add(family("f1"))
            await desk.families.add(family("f2"))
            await desk.families.add(family("f3", email=BOB))
            await desk.credentials.add(credential("t1", family="f1"), "")
            await desk.credentials.add(credential("t2", family="f2"), "")

            ended = await desk.families.end_all(ALICE, BOB, "left", NOW)

            assert set(ended) == {credential("t1").digest, credential("t2").digest}
            assert [each.ended for each in await desk.families.of(ALICE)] == [NOW, NOW]
            assert [each.ended for each in await desk.families.of(BOB)] == [None]

    run(story())


def test_living_families_are_found_by_who_vouched_for_them(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.families.add(family("f1"))
            await desk.families.add(family("f2", provider_session="s-2"))
            await desk.families.add(family("f3", subject="other", provider_session="s-3"))
            await desk.families.add(family("f4", ended=NOW))

            async def found(subject: str | None, session: str | None) -> list[str]:
                told = await desk.families.told_by(ISSUER, subject, session)
                return [each.id for each in told]

            assert await found("248289", None) == ["f1", "f2"]
            assert await found(None, "s-3") == ["f3"]
            assert await found("248289", "s-2") == ["f2"]
            assert await found("248289", "s-3") == []
            assert await desk.families.told_by("https://other.example", "248289", None) == []

    run(story())


def test_use_makes_a_family_last_longer(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.families.add(family())
            await desk.families.use("f1", NOW + 5, NOW + 7200)
            await desk.families.use("f1", NOW + 2, NOW + 1)

            kept = await desk.families.get("f1")
            assert kept is not None
            assert (kept.used, kept.expires) == (NOW + 5, NOW + 7200)

    run(story())
