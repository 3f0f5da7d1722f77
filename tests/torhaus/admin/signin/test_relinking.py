from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, rules
from tests.torhaus.admin.people.staff import steward
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import Arrive, Fresh, RelinkPerson
from torhaus.admin.signin.linking import NOT_LINKED, OTHER_ACCOUNT
from torhaus.admin.signin.relinking import RELINK_LASTS
from torhaus.model.people import Principal
from torhaus.model.person import Person, PersonKind, PersonState
from torhaus.model.providers import Gains, OidcProvider, Terms
from torhaus.model.signin import Identity

OLD = Identity(provider="old", issuer="o", subject="1", email=ALICE.email)
NEW = Identity(provider="new", issuer="n", subject="1", email=ALICE.email, groups=("eng",))
WORD = RelinkPerson(ALICE.email)


def provider(name: str, **terms: Any) -> OidcProvider:
    groups = {"eng": Gains(roles=("developer",))}
    known = Terms(groups=groups, **terms)
    return OidcProvider(name=name, label=name, terms=known, issuer=name[0], client_id="c")


def believing(hall: Hall, *people: Principal) -> None:
    known = people or tuple(hall.rules.principals.values())
    both = (provider("old", link_by_email=True), provider("new"))
    hall.rules = rules(*known, providers=both)


def came(identity: Identity, number: int) -> Arrive:
    return Arrive(Fresh(digest=bytes([number]), provider=identity.provider), identity)


def test_the_next_account_with_his_address_is_his_and_that_of_before_is_nobodys(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        believing(hall)
        await hall.done(ALICE, came(OLD, 1))
        assert (await hall.refused(ALICE, came(NEW, 2))).reason == OTHER_ACCOUNT

        done = await hall.done(DANA, WORD)

        assert done.closed == {"accounts": 1, "sessions": 1}
        assert hall.parameters()["person"] == ALICE.email
        async with hall.office.read() as desk:
            assert await desk.families.told_by("o", "1", None) == []
        await hall.done(ALICE, came(NEW, 3))
        assert (await hall.refused(ALICE, came(OLD, 4))).reason == OTHER_ACCOUNT
        await hall.done(ALICE, came(NEW, 5))

    play(tmp_path, story)


def test_the_word_is_for_one_account_of_one_provider_and_for_a_week(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        believing(hall)
        await hall.done(DANA, RelinkPerson(ALICE.email, "old"))
        assert (await hall.refused(ALICE, came(NEW, 1))).reason == NOT_LINKED
        await hall.done(DANA, WORD)
        await hall.done(DANA, WORD)
        hall.clock.turn(RELINK_LASTS)
        assert (await hall.refused(ALICE, came(NEW, 2))).reason == NOT_LINKED
        await hall.done(DANA, WORD)
        await hall.done(ALICE, came(NEW, 3))
        other = msgspec.structs.replace(NEW, subject="2")
        assert (await hall.refused(ALICE, came(other, 4))).reason == OTHER_ACCOUNT

    play(tmp_path, story)


def test_whom_a_provider_has_made_follows_the_groups_of_the_other_one(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        believing(hall)
        row = Person(email="erin@example.org", owner="idp:old", roles=("tech_lead",))
        async with hall.office.write() as desk:
            await desk.persons.put(row)
        erin = person("erin", "tech_lead")
        believing(hall, *hall.rules.principals.values(), erin)
        await hall.done(DANA, RelinkPerson(row.email))

        await hall.done(erin, came(msgspec.structs.replace(NEW, email=row.email), 1))

        async with hall.office.read() as desk:
            found = await desk.persons.get(row.email)
        assert found is not None
        assert (found.owner, found.roles) == ("idp:new", ("developer",))

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("who", "act", "row", "code"),
    [
        (BOB, WORD, None, "not_allowed"),
        (DANA, RelinkPerson("nobody@example.org"), None, "not_found"),
        (DANA, RelinkPerson(ALICE.email, "others"), None, "invalid"),
        (DANA, WORD, Person(email=ALICE.email, state=PersonState.GONE), "conflict"),
        (DANA, WORD, Person(email=ALICE.email, kind=PersonKind.SERVICE), "invalid"),
    ],
)
def test_it_is_refused_where_it_makes_no_sense(
    tmp_path: Path, who: Principal, act: RelinkPerson, row: Person | None, code: str
) -> None:
    async def story(hall: Hall) -> None:
        believing(hall)
        if row is not None:
            async with hall.office.write() as desk:
                await desk.persons.put(row)

        assert (await hall.refused(who, act)).code == code

    play(tmp_path, story)


def test_without_any_provider_there_is_nothing_to_say(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        assert (await hall.refused(DANA, WORD)).code == "invalid"

    play(tmp_path, story)


def test_nobody_says_it_of_who_may_more_than_he_does(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        people = steward("people")
        believing(hall, *hall.rules.principals.values(), people)

        assert (await hall.refused(people, RelinkPerson(DANA.email))).code == "not_allowed"
        await hall.done(people, RelinkPerson(people.email))

    play(tmp_path, story)
