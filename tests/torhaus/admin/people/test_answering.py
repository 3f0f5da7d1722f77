from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN, hired
from tests.torhaus.cast import run
from torhaus.admin.people.acts import AddPerson, ChangePerson, SuspendPerson
from torhaus.model.person import PersonKind

CI = "ci@services.example"
SERVICE = PersonKind.SERVICE


def test_a_service_account_is_added_with_a_person_who_answers_for_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        added = await hall.done(
            DANA, AddPerson(email=CI, kind=SERVICE, responsible=" Bob@example.org ")
        )

        assert (added.kind, added.responsible) == (SERVICE, BOB.email)
        assert hall.parameters()["after"]["responsible"] == BOB.email
        changed = await hall.done(DANA, ChangePerson(email=CI, responsible=ALICE.email))
        assert changed.responsible == ALICE.email
        assert hall.parameters()["before"] == {"responsible": BOB.email}
        same = await hall.done(DANA, ChangePerson(email=CI, name="CI"))
        assert same.responsible == ALICE.email

    run(play(tmp_path, story))


def test_nobody_but_a_person_who_is_here_answers(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        await hall.done(DANA, AddPerson(email=CI, kind=SERVICE, responsible=BOB.email))
        await hall.done(DANA, SuspendPerson(ALICE.email))
        program = msgspec.structs.replace(BOB, id="p@x.org", email="p@x.org", responsible="")
        gone = msgspec.structs.replace(BOB, id="g@x.org", email="g@x.org", expires=hall.clock())
        known = {**hall.rules.principals, "p@x.org": program, "g@x.org": gone}
        hall.rules = msgspec.structs.replace(hall.rules, principals=known)

        for nobody in ("", "nobody@example.org", CI, ALICE.email, "p@x.org", "g@x.org"):
            act = AddPerson(email="new@services.example", kind=SERVICE, responsible=nobody)
            refusal = await hall.refused(DANA, act)
            assert refusal.code == "invalid", nobody
            assert refusal.fix, nobody
            refusal = await hall.refused(DANA, ChangePerson(email=CI, responsible=nobody))
            assert refusal.code == "invalid", nobody
        for act in (
            AddPerson(email="new@example.org", responsible=BOB.email),
            ChangePerson(email=ERIN, responsible=BOB.email),
        ):
            assert "only a service account" in (await hall.refused(DANA, act)).reason

    run(play(tmp_path, story))
