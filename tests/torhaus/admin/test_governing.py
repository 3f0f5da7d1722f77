from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA, DAY, ROLES, Hall, person, play, rules
from tests.torhaus.admin.people.staff import ERIN, steward
from tests.torhaus.admin.provisioning.pushed import OKTA, PUSHER, push, pushing, user
from tests.torhaus.cast import NOW, run
from tests.torhaus.web.house import PROVIDER
from torhaus.admin.governing import LESSENING, Ground, Left, lessens, trouble
from torhaus.admin.people.acts import (
    AddPerson,
    ChangePerson,
    MakeKey,
    MakeStop,
    OffboardPerson,
    RevokeKey,
    SuspendPerson,
)
from torhaus.admin.perform import WORKS
from torhaus.admin.provisioning.acts import ProvisionUser, RemoveUser
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.admin.teams.works import TEAM_WORKS
from torhaus.identity.identify import key_id
from torhaus.identity.keys import digest
from torhaus.model.accounts import Link, Password
from torhaus.model.people import Phase
from torhaus.model.person import Membership, Person, PersonKind, PersonState, Team
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop, StopKind

HR = steward("people")
FRANK = "frank@example.org"
NOBODY, LASTS = Left(), Left(able=inf, named=inf)


def keyless(*people: Any, **more: Any) -> Rules:
    """Where the file has no keys."""
    return rules(*people, keys={}, **more)


async def left(hall: Hall, *, local: bool = True) -> Left:
    async with hall.office.read() as desk:
        return await Ground(desk=desk, rules=hall.rules, now=hall.clock(), local=local).left()


async def row(hall: Hall, email: str = ERIN, **more: Any) -> None:
    async with hall.office.write() as desk:
        await desk.persons.put(Person(**{"email": email, "roles": ("admin",), **more}))


async def password(hall: Hall, email: str = ERIN) -> None:
    async with hall.office.write() as desk:
        await desk.passwords.put(Password(email=email, hash="$argon2id$x"))


Making = Callable[[Hall], Awaitable[Any]]


async def key_of(hall: Hall, **more: Any) -> Any:
    hall.rules = keyless(DANA, person("erin", "admin"))
    return await hall.done(
        DANA, MakeKey(**{"email": ERIN, "digest": b"k" * 32, "label": "k", **more})
    )


async def linked(hall: Hall, **more: Any) -> None:
    hall.rules = msgspec.structs.replace(hall.rules, providers=(PROVIDER,))
    link = Link(**{"issuer": "i", "subject": "s", "email": ERIN, "provider": "corp", **more})
    async with hall.office.write() as desk:
        await desk.identities.put(link)


async def stopped(hall: Hall, kind: StopKind, target: str) -> None:
    stop = Stop(id="s", kind=kind, target=target, reason="r", created=NOW, created_by="x")
    async with hall.office.write() as desk:
        await desk.stops.add(stop)


async def in_team(hall: Hall) -> None:
    await row(hall, roles=())
    await password(hall)
    async with hall.office.write() as desk:
        await desk.teams.put(Team(name="owners", roles=("admin",)))
        await desk.teams.join(Membership("owners", ERIN, "database"))


WAYS_IN: dict[str, tuple[Making, bool]] = {
    "none": (lambda hall: row(hall), False),
    "a password": (lambda hall: password(hall), True),
    "a key": (lambda hall: key_of(hall), True),
    "a key for a day and more": (lambda hall: key_of(hall, expires=NOW + DAY + 1), True),
    "a key that ends today": (lambda hall: key_of(hall, expires=NOW + DAY), False),
    "a key held to scopes": (lambda hall: key_of(hall, scopes=("github:read",)), False),
    "an account at a provider": (lambda hall: linked(hall), True),
    "an account at one that is no more": (lambda hall: linked(hall, provider="old"), False),
}


@pytest.mark.parametrize(("making", "counts"), WAYS_IN.values(), ids=WAYS_IN)
def test_an_administrator_counts_who_can_come_in(
    making: Making, counts: bool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = keyless(ALICE)
        await row(hall)
        await making(hall)
        hall.rules = msgspec.structs.replace(hall.rules, principals={ALICE.id: ALICE})

        assert await left(hall) == (LASTS if counts else Left(named=inf))

    run(play(tmp_path, story))


def test_a_provider_may_be_believed_about_who_has_not_come_yet(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await row(hall)
        for terms, counts in (
            (PROVIDER.terms, True),
            (msgspec.structs.replace(PROVIDER.terms, link_by_email=False), False),
            (msgspec.structs.replace(PROVIDER.terms, domains=("elsewhere.org",)), False),
            (msgspec.structs.replace(PROVIDER.terms, domains=("example.org",)), True),
        ):
            provider = msgspec.structs.replace(PROVIDER, terms=terms)
            hall.rules = keyless(ALICE, providers=(provider,))
            assert (await left(hall)).able == (inf if counts else -inf)

    run(play(tmp_path, story))


def test_passwords_count_where_they_open_something(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = keyless(ALICE)
        await row(hall)
        await password(hall)

        assert await left(hall, local=False) == Left(named=inf)
        assert await left(hall) == LASTS

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "more",
    [
        {"state": PersonState.SUSPENDED},
        {"state": PersonState.GONE},
        {"state": PersonState.INVITED},
        {"kind": PersonKind.SERVICE},
        {"servers": ("github",)},
        {"roles": ("tech_lead",)},
        {"roles": ("gone",)},
        {"expires": NOW},
    ],
    ids=str,
)
def test_who_is_no_administrator_of_everything_does_not_count(
    more: dict[str, Any], tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = keyless(ALICE)
        await row(hall, **more)
        await password(hall)

        assert await left(hall) == NOBODY

    run(play(tmp_path, story))


def test_a_team_makes_administrators_and_an_end_is_told(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = keyless(ALICE)
        await in_team(hall)
        assert await left(hall) == LASTS

        async with hall.office.write() as desk:
            await desk.teams.put(Team(name="owners", roles=("admin",), servers=("github",)))
        assert await left(hall) == NOBODY
        async with hall.office.write() as desk:
            await desk.teams.put(Team(name="owners", roles=("admin",)))
        await row(hall, expires=NOW + 60, roles=())
        assert await left(hall) == Left(able=NOW + 60, named=NOW + 60)

    run(play(tmp_path, story))


def test_stops_shut_people_and_keys_out(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = rules(DANA)
        assert await left(hall) == LASTS
        await stopped(hall, StopKind.KEY, key_id(digest(f"{DANA.id}-key")))
        assert await left(hall) == Left(named=inf)
        await password(hall, DANA.email)
        assert await left(hall) == LASTS
        async with hall.office.write() as desk:
            await desk.stops.lift("s", "x", NOW)
        await password(hall, DANA.email)
        hall.rules = keyless(DANA)
        await stopped_again(hall)
        assert await left(hall) == Left(named=inf)

    async def stopped_again(hall: Hall) -> None:
        stop = Stop(
            id="s2", kind=StopKind.USER, target=DANA.email, reason="", created=1, created_by=""
        )
        async with hall.office.write() as desk:
            await desk.stops.add(stop)

    run(play(tmp_path, story))


def test_people_of_the_file_count_as_long_as_the_file_says(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        admin, other = (ROLES[each] for each in ("admin", "developer"))
        first = Phase(ends=NOW + 60, roles=("admin",), access=admin)
        then = Phase(begins=NOW + 60, roles=("developer",), access=other)
        for changes, until in (
            ({"phases": (first, then)}, NOW + 60),
            ({"expires": NOW + 5}, NOW + 5),
            ({"expires": NOW}, -inf),
            ({"phases": (first, msgspec.structs.replace(then, access=admin))}, inf),
        ):
            hall.rules = rules(msgspec.structs.replace(DANA, **changes))
            assert await left(hall) == Left(able=until, named=until)
        hall.rules = rules(msgspec.structs.replace(DANA, responsible=ALICE.email))
        assert await left(hall) == NOBODY
        hall.rules = rules(DANA)
        await row(hall, DANA.email, owner="file", state=PersonState.SUSPENDED)
        assert await left(hall) == NOBODY

    run(play(tmp_path, story))


def test_the_trouble_is_a_sentence_with_the_end() -> None:
    assert trouble(LASTS, LASTS) is None
    assert trouble(NOBODY, NOBODY) is None
    assert trouble(Left(named=inf), LASTS) is None
    assert "last administrator who can sign in" in (trouble(LASTS, Left(named=inf)) or "")
    assert "from 2026-09-21 14:13 UTC on" in (trouble(LASTS, Left(able=NOW, named=inf)) or "")
    assert "from 2026-09-21 14:13 UTC on" in (trouble(Left(named=inf), Left(named=NOW)) or "")


def test_every_act_that_is_judged_is_one_of_the_house() -> None:
    known = {each.__name__ for each in (*WORKS, *TEAM_WORKS, *SIGNIN_WORKS)}

    assert {each for each in LESSENING if not each.startswith(("Provision", "Remove"))} <= known
    assert lessens(RevokeKey("x"))
    assert not lessens(AddPerson(email="x"))


# -- what comes of it at the door ----------------------------------------------------------------


async def one_with_a_key(hall: Hall) -> Any:
    """Erin administers and has one key; Frank administers and cannot come in. HR asks."""
    hall.rules = rules(HR, person("erin", "admin"), person("frank", "admin"))
    await row(hall)
    await row(hall, FRANK)
    made = await hall.done(
        hall.rules.principals[ERIN], MakeKey(email=ERIN, digest=b"k" * 32, label="k")
    )
    keys = {digest(f"{HR.id}-key"): HR}
    hall.rules = msgspec.structs.replace(hall.rules, keys=keys)
    return made


TAKING: dict[str, Callable[[Any], Any]] = {
    "another role": lambda _: ChangePerson(email=ERIN, roles=("developer",)),
    "an end": lambda _: ChangePerson(email=ERIN, expires=NOW + 60),
    "suspending": lambda _: SuspendPerson(ERIN),
    "offboarding": lambda _: OffboardPerson(ERIN),
    "stopping him": lambda _: MakeStop(kind=StopKind.USER, target=ERIN, reason="r"),
    "stopping his key": lambda key: MakeStop(kind=StopKind.KEY, target=key.id, reason="r"),
    "revoking his key": lambda key: RevokeKey(key.id),
}


@pytest.mark.parametrize("taking", TAKING.values(), ids=TAKING)
def test_nothing_takes_the_last_who_can_come_in_and_nothing_of_it_is_kept(
    taking: Callable[[Any], Any], tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        key = await one_with_a_key(hall)
        act = taking(key)

        refusal = await hall.refused(_asking(hall, act), act)

        assert refusal.code == "conflict"
        assert "last administrator" in refusal.reason
        assert "make somebody else an administrator first" in refusal.fix
        assert hall.ends()[-1][2] == "denied"
        assert await left(hall) == LASTS
        await password(hall, FRANK)
        await hall.done(_asking(hall, act), act)

    run(play(tmp_path, story))


def _asking(hall: Hall, act: Any) -> Any:
    kind = {MakeStop: "stops", RevokeKey: "keys"}.get(type(act), "people")
    who = steward(kind)
    hall.rules = msgspec.structs.replace(
        hall.rules, principals={**hall.rules.principals, who.id: who}
    )
    return who


def test_who_was_pushed_is_not_pushed_out_as_the_last(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        hall.rules = rules(HR, DANA)
        one = user(email=DANA.email, active=True)
        await push(hall, one)

        out = ProvisionUser(source=OKTA, user=user(email=DANA.email, active=False), before=one)
        for act in (out, RemoveUser(source=OKTA, id="u1")):
            assert "last administrator" in (await hall.refused(PUSHER, act)).reason

    run(play(tmp_path, story))
