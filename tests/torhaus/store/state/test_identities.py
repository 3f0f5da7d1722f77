import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB
from tests.torhaus.store.state.requests import NOW
from torhaus.model.accounts import Link

LINK = Link(
    issuer="https://idp.example",
    subject="u-1",
    email=ALICE,
    provider="corp",
    groups=("eng", "ops"),
    linked=NOW,
    seen=NOW,
)


def test_an_account_is_found_by_issuer_and_subject_and_never_by_address(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.identities.put(LINK)
            assert await desk.identities.get(LINK.issuer, LINK.subject) == LINK
            assert await desk.identities.get("https://other.example", LINK.subject) is None
            later = msgspec.structs.replace(LINK, seen=NOW + 9, groups=())
            await desk.identities.put(later)
            assert await desk.identities.of(ALICE) == [later]
            assert await desk.identities.of(BOB) == []
            assert await desk.identities.remove(ALICE) == 1
            assert await desk.identities.of(ALICE) == []

    run(story())
