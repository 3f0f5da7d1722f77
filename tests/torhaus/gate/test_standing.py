"""Who is let in at all, and where his roles come from."""

from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DAY, key, rules
from tests.torhaus.cast import NOW
from torhaus.gate.standing import scopes_of, seen, where
from torhaus.identity.identify import key_id
from torhaus.identity.keys import digest
from torhaus.model.credentials import Credential, CredentialKind, Kept
from torhaus.model.grant import Grant
from torhaus.model.person import Membership, Person, PersonState, Team
from torhaus.model.rules import Rules
from torhaus.model.standing import Standing
from torhaus.model.stops import Stop, StopKind

ERIN = "erin@example.org"
PERSON = Person(email=ERIN, roles=("developer",))


def world(**more: Any) -> Rules:
    erin = msgspec.structs.replace(ALICE, id=ERIN, email=ERIN)
    found = rules(ALICE, BOB, erin)
    return msgspec.structs.replace(found, filed={ALICE.id: None, BOB.id: None}, **more)


def credential(**more: Any) -> Credential:
    base: dict[str, Any] = {"digest": b"k", "id": "adm_1", "kind": CredentialKind.KEY}
    return Credential(**{**base, "email": ERIN, "label": "laptop", **more})


def keyed(**more: Any) -> Standing:
    kept = Kept(credential=credential(**more.pop("credential", {})), **more)
    return Standing(email=ERIN, person=PERSON, key="adm_1", kept=kept)


def stop(kind: StopKind, target: str, **more: Any) -> Stop:
    about: dict[str, Any] = {"id": "s1", "reason": "leak", "created": NOW, "created_by": "dana"}
    return Stop(**{**about, "kind": kind, "target": target, **more})


def test_a_good_key_is_told_with_what_it_is_held_to() -> None:
    held = {"scopes": ("github:read",), "audience": "github", "expires": NOW + 60}

    found = seen(world(), keyed(credential=held), "github", NOW)

    assert found.turned is None
    assert found.credential is not None
    step = found.steps[0]
    assert (step.step, step.result, step.rule) == ("key", "pass", "adm_1")
    for word in ("laptop", "held to github:read", "good at github alone", "until "):
        assert word in step.detail


@pytest.mark.parametrize(
    ("standing", "code", "word"),
    [
        (Standing(email=ERIN, key="adm_9"), "unknown_key", "no key 'adm_9'"),
        (keyed(credential={"email": BOB.email}), "unknown_key", "not erin@example.org's"),
        (keyed(ended=NOW - 5, ended_by="dana"), "key_ended", "by dana"),
        (keyed(credential={"expires": NOW}), "key_unfit", "is over"),
        (keyed(credential={"audience": "jira"}), "key_unfit", "for jira alone"),
        (keyed(credential={"kind": CredentialKind.SESSION}), "key_unfit", "cookie"),
    ],
)
def test_a_key_that_is_no_good_lets_nobody_in(standing: Standing, code: str, word: str) -> None:
    found = seen(world(), standing, "github", NOW)

    assert found.turned is not None
    assert found.turned.code == code
    assert word in found.turned.reason
    assert [each.result for each in found.steps] == ["deny"]


def test_keys_of_the_file_are_known_by_their_ids_and_their_owners() -> None:
    id = key_id(digest(key(ALICE)))
    mine, others = Standing(email=ALICE.email, key=id), Standing(email=BOB.email, key=id)

    assert seen(world(), mine, "github", NOW).turned is None
    turned = seen(world(), others, "github", NOW).turned
    assert turned is not None
    assert turned.code == "unknown_key"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (PersonState.SUSPENDED, "suspended"),
        (PersonState.GONE, "gone"),
        (PersonState.INVITED, "invited"),
    ],
)
def test_whoever_is_away_is_told_why(state: PersonState, code: str) -> None:
    person = msgspec.structs.replace(PERSON, state=state)

    found = seen(world(), Standing(email=ERIN, person=person), "github", NOW)

    assert found.turned is not None
    assert found.turned.code == code


@pytest.mark.parametrize(
    ("made", "refused"),
    [
        (stop(StopKind.USER, ERIN), True),
        (stop(StopKind.KEY, "adm_1"), True),
        (stop(StopKind.USER, BOB.email), False),
        (stop(StopKind.KEY, "adm_2"), False),
        (stop(StopKind.USER, ERIN, expires=NOW), False),
        (stop(StopKind.SERVER, ERIN), False),
    ],
)
def test_whoever_or_whatever_is_stopped_is_told_by_whom(made: Stop, refused: bool) -> None:
    standing = msgspec.structs.replace(keyed(), stops=(made,))

    found = seen(world(), standing, "github", NOW)

    assert (found.turned is not None) is refused
    if found.turned is not None:
        assert (found.turned.code, found.turned.rule) == ("stopped", "stop:s1")
        assert "dana" in found.turned.reason.lower()


FILED = {f"user {ALICE.email}": "torhaus.yml:7", "group web": "torhaus.yml:3"}


def test_roles_come_from_the_database_its_teams_and_its_grants() -> None:
    grant = Grant(id="adm_7", user=ERIN, role="on_call", begins=NOW, ends=NOW + DAY)
    given = Grant(id="file", user=ERIN, role="admin", begins=NOW, ends=NOW + DAY)
    known = world(grants=(grant, given), teams=(Team(name="web", roles=("careful",)),))
    standing = Standing(
        email=ERIN,
        person=PERSON,
        grants=(grant,),
        teams=(Team(name="core", roles=("tech_lead",)), Team(name="web", roles=("empty",))),
        members=(Membership("core", ERIN, "database"), Membership("web", ERIN, "idp:corp")),
    )

    def told(role: str, now: float = NOW) -> str:
        return where(known, standing, role, FILED, now)

    assert told("developer") == "database"
    assert told("tech_lead") == "database, team core"
    assert told("careful") == "torhaus.yml:3, group web"
    assert told("empty") == ""
    assert told("on_call").startswith("database, temporary access adm_7, until ")
    assert told("on_call", NOW + DAY) == ""
    assert told("admin").startswith("the file, until ")


def test_roles_of_people_of_the_file_come_from_the_file() -> None:
    teams = (Team(name="web", roles=("developer",)),)
    inside = world(teams=teams, groups={"web": (ALICE.email,)})
    standing = Standing(email=ALICE.email, person=Person(email=ALICE.email, roles=("admin",)))

    assert where(world(), standing, "developer", FILED, NOW) == "torhaus.yml:7"
    assert where(inside, standing, "developer", FILED, NOW) == "torhaus.yml:3, group web"
    assert where(world(), standing, "admin", FILED, NOW) == ""


def test_a_role_that_counts_for_nothing_is_told() -> None:
    person = msgspec.structs.replace(PERSON, roles=("developer", "vanished"))

    found = seen(world(), Standing(email=ERIN, person=person), "github", NOW)

    assert "vanished (database; no such role counts now)" in found.steps[-1].detail


def test_scopes_that_cannot_be_read_open_nothing() -> None:
    assert [each.rule for each in scopes_of(credential(scopes=("github:read",)))] == [
        "scope github:read"
    ]
    assert scopes_of(credential(scopes=("what?",))) == ()
