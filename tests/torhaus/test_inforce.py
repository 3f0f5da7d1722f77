"""The rules in force: file, people, grants and stops together."""

import asyncio
import time

import msgspec
from structlog.testing import capture_logs

from tests.torhaus.cast import run
from tests.torhaus.config.test_roster import BOB, DAVE, FILE, row
from tests.torhaus.store.state.people import stop
from torhaus.config.load import Loaded, load_text
from torhaus.inforce import FEW, InForce
from torhaus.model.grant import Grant
from torhaus.model.person import DATABASE, Membership, Moved, PersonState, Roster, Team

NOW = time.time()
ALICE, CAROL = "alice@example.org", "carol@example.org"


def built() -> tuple[InForce, list[Loaded]]:
    put: list[Loaded] = []
    return InForce(load_text(FILE, "torhaus.yml", {}), put.append), put


def many(count: int) -> Roster:
    return Roster(persons=tuple(row(f"p{n:04}@example.org", "developer") for n in range(count)))


def test_few_people_are_in_force_at_once_and_many_soon() -> None:
    async def story() -> None:
        force, put = built()
        await force.repeople(Roster(persons=(row(BOB, "developer"),)))
        assert force.rules.principals[BOB].roles(NOW) == ("developer",)

        await force.repeople(many(FEW + 1))
        assert BOB not in force.rules.principals
        assert len(force.rules.principals) == FEW + 3
        assert put[-1].rules is force.rules
        assert len(put) == 2

        await force.repeople(many(FEW + 1))
        assert len(put) == 2

    run(story())


def test_a_person_is_amended_before_the_act_is_over() -> None:
    async def story() -> None:
        force, _ = built()
        await force.repeople(Roster(persons=(row(BOB, "developer"),)))

        force.amend(
            [row(BOB, "developer", state=PersonState.SUSPENDED), row(ALICE, state=PersonState.GONE)]
        )

        assert BOB not in force.rules.principals
        assert {each.email for each in force.roster.persons} == {BOB, ALICE}

    run(story())


def test_who_changes_while_many_are_compiled_is_as_he_was_changed() -> None:
    async def story() -> None:
        force, _ = built()
        compiling = asyncio.create_task(force.repeople(many(400)))
        await asyncio.sleep(0)

        gone = row("p0007@example.org", "developer", state=PersonState.GONE)
        force.amend([gone])
        await compiling

        assert "p0007@example.org" not in force.rules.principals
        assert "p0008@example.org" in force.rules.principals

    run(story())


def test_teams_change_those_who_are_in_them() -> None:
    async def story() -> None:
        force, _ = built()
        await force.repeople(Roster(persons=(row(BOB),)))

        await force.repeople(Roster(persons=(row(BOB),), teams=(Team(name="web"),)))

        assert force.roster.teams == (Team(name="web"),)
        assert BOB in force.rules.principals

    run(story())


def test_who_cannot_be_compiled_anew_keeps_nothing() -> None:
    async def story() -> None:
        servers = "".join(f", s{n}: {{url: http://127.0.0.1:1/mcp}}" for n in range(20))
        rule = "{{name: p{}, applies_to: [{{role: wide}}], action: deny, reason: no}}"
        rules = ", ".join(rule.format(n) for n in range(100))
        file = FILE.replace("mcp}}", "mcp}" + servers + "}", 1)
        file = file.replace("roles:", "roles:\n  wide: {permissions: []}", 1)
        file += f"policies: [{rules}]\n"
        force = InForce(load_text(file, "torhaus.yml", {}), lambda _: None)
        names = [f"p{n:04}@example.org" for n in range(600)]
        mine = Membership("web", BOB, DATABASE)
        members = (mine, *(Membership(name, name, DATABASE) for name in names))
        people = (row(BOB), row(DAVE, "developer"), *(row(name, "developer") for name in names))
        web = Team(name="web", roles=("developer",))
        await force.repeople(Roster(persons=people, teams=(web,), members=members))
        assert force.rules.principals[BOB].roles(NOW) == ("developer",)
        assert force.rules.groups["web"] == (BOB,)

        people = (row(BOB), row(DAVE, "developer"), *(row(name, "wide") for name in names))
        with capture_logs() as logged:
            await force.repeople(Roster(persons=people, members=members))

        assert [each["event"] for each in logged] == ["people.refused"]
        assert set(force.rules.principals) == {ALICE, CAROL, DAVE}  # they have not changed
        assert len(force.rules.keys) == 2

        await force.repeople(Roster(persons=people[:2], members=(mine,)))
        assert force.rules.principals[BOB].roles(NOW) == ()

    run(story())


def test_grants_go_on_when_people_change_and_people_when_grants_do() -> None:
    async def story() -> None:
        force, _ = built()
        grant = Grant(id="g1", user=BOB, role="tech_lead", begins=0.0, ends=NOW + 900, notify=1.0)
        await force.regrant((grant,))
        await force.repeople(Roster(persons=(row(BOB, "developer"),)))
        assert force.rules.principals[BOB].roles(NOW) == ("developer", "tech_lead")

        await force.regrant(())
        assert force.rules.principals[BOB].roles(NOW) == ("developer",)

    run(story())


def test_stops_stay_whatever_else_changes() -> None:
    async def story() -> None:
        force, put = built()
        force.restop((stop(),))
        assert force.rules.servers["github"].stops == (stop(),)
        assert len(put) == 1
        force.restop((stop(),))
        assert len(put) == 1

        await force.repeople(Roster(persons=(row(BOB, "developer"),)))
        assert force.rules.servers["github"].stops == (stop(),)
        force.swap(force.given(load_text(FILE, "torhaus.yml", {})))
        assert force.rules.servers["github"].stops == (stop(),)
        assert BOB in force.rules.principals

        force.restop(())
        assert force.rules.servers["github"].stops == ()

    run(story())


def test_a_file_that_was_read_with_others_is_found_out() -> None:
    async def story() -> None:
        force, _ = built()
        fresh = force.given(load_text(FILE, "torhaus.yml", {}))
        assert force.swap(fresh)

        fresh = force.given(load_text(FILE, "torhaus.yml", {}))
        force.amend([row(BOB, "developer")])
        assert not force.swap(fresh)
        await force.regrant(force.grants)
        assert BOB in force.rules.principals

    run(story())


def test_roles_that_are_no_more_are_told_once() -> None:
    async def story() -> None:
        force, _ = built()
        people = [row(f"p{n}@example.org", "wizard") for n in range(FEW + 1)]
        with capture_logs() as logged:
            await force.repeople(Roster(persons=tuple(people)))
            await force.regrant(())

        told = [each for each in logged if each["event"] == "people.roles.unknown"]
        assert [(each["people"], each["roles"]) for each in told] == [(FEW + 1, ["wizard"])]

    run(story())


WEB = Team(name="web", roles=("developer",))
IN_WEB = Membership("web", BOB, DATABASE)


def test_what_an_act_changes_of_teams_is_in_force_at_once_and_groups_follow() -> None:
    async def story() -> None:
        force, _ = built()
        await force.repeople(Roster(persons=(row(BOB), row(DAVE))))

        force.amend((), Moved(teams=(WEB,), joined=(IN_WEB,)))
        assert force.rules.principals[BOB].roles(NOW) == ("developer",)
        assert force.rules.principals[DAVE].roles(NOW) == ()
        told = Roster(persons=(row(BOB), row(DAVE)), teams=(WEB,), members=(IN_WEB,))
        assert force.roster == told
        await force.repeople(told)
        assert force.rules.groups["web"] == (BOB,)

        lead = msgspec.structs.replace(WEB, roles=("tech_lead",))
        force.amend((), Moved(teams=(lead,)))
        assert force.rules.principals[BOB].roles(NOW) == ("tech_lead",)
        force.amend((), Moved(removed=("web",), left=(IN_WEB,)))
        assert force.rules.principals[BOB].roles(NOW) == ()
        assert (force.roster.teams, force.roster.members) == ((), ())
        await force.repeople(Roster(persons=(row(BOB), row(DAVE))))
        assert "web" not in force.rules.groups

    run(story())


def test_a_team_of_very_many_is_compiled_beside_what_goes_on() -> None:
    async def story() -> None:
        force, put = built()
        everybody = many(FEW + 1)
        await force.repeople(everybody)
        before = len(put)

        joined = tuple(Membership("web", each.email, DATABASE) for each in everybody.persons)
        force.amend((), Moved(teams=(WEB,), joined=joined))
        assert len(put) == before
        assert force.roster == everybody

        await force.repeople(everybody.moved(Moved(teams=(WEB,), joined=joined)))
        assert len(force.rules.groups["web"]) == FEW + 1

    run(story())
