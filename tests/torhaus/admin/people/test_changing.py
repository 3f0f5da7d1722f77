from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, EVERYBODY, Hall, person, play, rules
from tests.torhaus.admin.people.staff import ERIN, hired, opened, steward, stewards
from tests.torhaus.cast import NOW, run
from torhaus.admin.people.acts import AddPerson, ChangePerson, OffboardPerson, ReinstatePerson
from torhaus.model.person import Membership, PersonKind, PersonState, Team


def test_a_person_is_added_with_roles_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = await hall.done(
            DANA,
            AddPerson(email=" Erin@Example.org ", name="Erin", roles=("developer", "developer")),
        )

        assert (made.email, made.roles, made.state) == (
            ERIN,
            ("developer",),
            PersonState.ACTIVE,
        )
        assert hall.ends() == [("person.added", DANA.email, "success")]
        assert hall.parameters()["before"] is None
        assert hall.parameters()["after"]["roles"] == ["developer"]
        effect = hall.effects[-1]
        assert effect.people
        assert effect.persons == (made,)
        async with hall.office.read() as desk:
            assert await desk.persons.get(ERIN) == made

    run(play(tmp_path, story))


def test_a_service_account_is_added_like_a_person(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        act = AddPerson(
            email="ci@services.example",
            kind=PersonKind.SERVICE,
            expires=NOW + 60,
            responsible=BOB.email,
        )
        bot = await hall.done(DANA, act)

        assert (bot.kind, bot.expires) == (PersonKind.SERVICE, NOW + 60)

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (AddPerson(email="no address"), "invalid"),
        (AddPerson(email="<script>@example.org"), "invalid"),
        (AddPerson(email="alice,bob@example.org"), "invalid"),
        (AddPerson(email="al\u202eice@example.org"), "invalid"),
        (AddPerson(email="\u212aim@example.org"), "invalid"),
        (AddPerson(email=ERIN, expires=NOW), "invalid"),
        (AddPerson(email=ERIN, roles=("wizard",)), "invalid"),
        (AddPerson(email=ERIN, name="a\nb"), "invalid"),
        (AddPerson(email=ALICE.email), "conflict"),
        (ChangePerson(email="nobody@example.org"), "not_found"),
        (ChangePerson(email=ALICE.email, roles=()), "conflict"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(
    act: AddPerson | ChangePerson, code: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        refusal = await hall.refused(DANA, act)

        assert refusal.code == code
        assert hall.ends()[0][2] == "denied"

    run(play(tmp_path, story))


def test_only_holders_of_the_right_administer_people(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        for who in (ALICE, BOB, steward("keys")):
            refusal = await hall.refused(who, AddPerson(email=ERIN))
            assert refusal.code == "not_allowed"
            assert "torhaus:people:admin" in refusal.reason
        await hall.done(steward("people"), AddPerson(email=ERIN))

    run(play(tmp_path, story))


def test_nobody_gives_what_he_does_not_hold(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        hr = steward("people")
        refusal = await hall.refused(hr, AddPerson(email=ERIN, roles=("tech_lead",)))
        assert "do not hold" in refusal.reason

        await hall.done(hr, AddPerson(email=ERIN, roles=("developer",)))
        refusal = await hall.refused(hr, ChangePerson(email=ERIN, roles=("developer", "admin")))
        assert refusal.code == "not_allowed"
        await hall.done(hr, ChangePerson(email=ERIN, roles=()))

    run(play(tmp_path, story))


def test_nobody_changes_his_own_access(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall, ERIN, "admin")
        erin = hall.rules.principals[ERIN]

        refusal = await hall.refused(erin, ChangePerson(email=ERIN, forever=True))

        assert (refusal.code, "his own" in refusal.reason) == ("not_allowed", True)

    run(play(tmp_path, story))


def test_a_change_says_what_was_and_what_is(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        hall.clock.turn(5)

        changed = await hall.done(
            DANA, ChangePerson(email=ERIN, roles=("tech_lead",), expires=NOW + 100)
        )

        told = hall.parameters()
        assert told["before"] == {"roles": ["developer"], "expires": None}
        assert told["after"] == {"roles": ["tech_lead"], "expires": NOW + 100}
        assert changed.changed == NOW + 5
        forever = await hall.done(DANA, ChangePerson(email=ERIN, forever=True))
        assert forever.expires is None
        assert forever.roles == ("tech_lead",)

    run(play(tmp_path, story))


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall, ERIN, "admin")
        rest = [each for each in EVERYBODY if each.id != DANA.id]
        hall.rules = rules(*rest, person("erin", "admin"))
        stewards(hall)

        refusal = await hall.refused(steward("people"), ChangePerson(email=ERIN, roles=()))

        assert refusal.code == "conflict"
        assert "last administrator" in refusal.reason

    run(play(tmp_path, story))


def test_whoever_the_file_has_by_now_is_changed_there_alone(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        hall.rules = msgspec.structs.replace(hall.rules, filed={ERIN: None})

        refusal = await hall.refused(DANA, ChangePerson(email=ERIN, roles=("tech_lead",)))
        assert (refusal.code, refusal.fix) == ("conflict", "change users in the configuration")
        await hall.done(DANA, OffboardPerson(ERIN))
        refusal = await hall.refused(DANA, AddPerson(email=ERIN, roles=("developer",)))
        assert (refusal.code, refusal.fix) == ("conflict", "torhaus users reinstate")
        await hall.done(DANA, ReinstatePerson(ERIN))

    run(play(tmp_path, story))


def test_who_was_gone_can_be_added_anew(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        await hall.done(DANA, OffboardPerson(ERIN))
        refusal = await hall.refused(DANA, ChangePerson(email=ERIN, roles=()))
        assert "anew" in refusal.fix

        again = await hall.done(DANA, AddPerson(email=ERIN, roles=("developer",)))

        assert (again.state, again.left_at) == (PersonState.ACTIVE, None)
        assert again.epoch == 2

    run(play(tmp_path, story))


def test_somebody_has_some_servers_only_until_they_are_changed(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        opened(hall)
        added = await hall.done(
            DANA, AddPerson(email=ERIN, roles=("developer",), servers=("github", "github"))
        )
        assert added.servers == ("github",)

        changed = await hall.done(DANA, ChangePerson(email=ERIN, servers=("jira",)))
        assert (changed.servers, changed.roles) == (("jira",), ("developer",))
        told = hall.parameters()
        assert (told["before"], told["after"]) == ({"servers": ["github"]}, {"servers": ["jira"]})
        assert (await hall.done(DANA, ChangePerson(email=ERIN, name="E"))).servers == ("jira",)
        assert (await hall.done(DANA, ChangePerson(email=ERIN, servers=()))).servers == ()
        for act in (
            ChangePerson(email=ERIN, servers=("gitlab",)),
            AddPerson(email="x@example.org", servers=("gitlab",)),
        ):
            refusal = await hall.refused(DANA, act)
            assert (refusal.code, refusal.reason) == ("invalid", "there is no server 'gitlab'")

    run(play(tmp_path, story))


def test_nobody_opens_more_servers_to_roles_that_he_could_not_give(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        opened(hall)
        hr, both = steward("people"), ("github", "jira")
        await hall.done(DANA, AddPerson(email=ERIN, roles=("tech_lead",), servers=both))
        await hall.done(hr, ChangePerson(email=ERIN, servers=("jira",)))

        for wider in (("github",), both, ()):
            refusal = await hall.refused(hr, ChangePerson(email=ERIN, servers=wider))
            assert (refusal.code, "do not hold" in refusal.reason) == ("not_allowed", True)
        await hall.done(hr, ChangePerson(email=ERIN, roles=("developer",)))
        await hall.done(hr, ChangePerson(email=ERIN, servers=()))

    run(play(tmp_path, story))


def test_what_a_team_gives_counts_when_more_servers_are_opened(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        opened(hall)
        await hall.done(DANA, AddPerson(email=ERIN, servers=("jira",)))
        async with hall.office.write() as desk:
            await desk.teams.put(Team(name="leads", roles=("tech_lead",)))
            await desk.teams.join(Membership("leads", ERIN, "database"))

        act = ChangePerson(email=ERIN, servers=())

        assert (await hall.refused(steward("people"), act)).code == "not_allowed"
        await hall.done(DANA, act)

    run(play(tmp_path, story))
