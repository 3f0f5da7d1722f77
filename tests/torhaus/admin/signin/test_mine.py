from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, Hall
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.mine import mine
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.person import Person, PersonKind, PersonState


async def kept(at: Hall) -> None:
    now = at.clock()
    key = Credential(digest=b"k", id="k", kind=CredentialKind.KEY, email=ALICE.email, label="x")
    family = Family(id="s", kind=FamilyKind.SESSION, email=ALICE.email, expires=now + 60)
    async with at.office.write() as desk:
        await desk.credentials.add(key, "")
        for id, changes in (
            ("over", {"expires": now}),
            ("token", {"kind": CredentialKind.ACCESS}),
            ("ended", {}),
            ("others", {"email": BOB.email}),
        ):
            made = msgspec.structs.replace(key, id=id, digest=id.encode(), **changes)
            await desk.credentials.add(made, "")
        await desk.credentials.end(b"ended", BOB.email, now)
        await desk.families.add(family)
        await desk.families.add(
            msgspec.structs.replace(family, id="c", kind=FamilyKind.CONSENT, label="Cursor")
        )
        await desk.families.add(msgspec.structs.replace(family, id="o", email=BOB.email))
        await desk.families.add(msgspec.structs.replace(family, id="e"))
        await desk.families.end("e", ALICE.email, "", now)


def test_everybody_sees_what_lives_of_his_own(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await kept(at)

        found = await mine(at.office, ALICE.email, at.rules, at.clock())

        assert [each.credential.id for each in found.keys] == ["k"]
        assert [each.id for each in found.sessions] == ["s"]
        assert [each.id for each in found.consents] == ["c"]
        at.clock.turn(60)
        assert (await mine(at.office, ALICE.email, at.rules, at.clock())).sessions == ()

    play(tmp_path, story)


def test_service_accounts_of_somebody_are_his(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        ci = Person(email="ci@x.org", kind=PersonKind.SERVICE, responsible=ALICE.email)
        old = msgspec.structs.replace(ci, email="old@x.org", state=PersonState.GONE)
        filed = {"nightly@x.org": ALICE.email, "other@x.org": BOB.email, ALICE.email: None}
        at.rules = msgspec.structs.replace(at.rules, filed=filed)
        async with at.office.write() as desk:
            await desk.persons.put(ci)
            await desk.persons.put(old)

        found = await mine(at.office, ALICE.email, at.rules, at.clock())

        assert [each.person.email for each in found.programs] == ["ci@x.org", "nightly@x.org"]
        assert (await mine(at.office, "x@x.org", at.rules, at.clock())).programs == ()

    play(tmp_path, story)
