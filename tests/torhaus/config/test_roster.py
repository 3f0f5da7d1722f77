"""People of the database beside those of the file."""

from typing import Any

import pytest

from tests.torhaus.store.state.people import person
from torhaus.config.load import Loaded, load_text
from torhaus.config.people import People
from torhaus.config.people import Person as Known
from torhaus.config.roster import Merging
from torhaus.model.person import Membership, Person, PersonKind, PersonState, Roster, Team
from torhaus.policy.approvers import named

FILE = """
mcpServers: {github: {url: http://127.0.0.1:1/mcp}}
roles:
  developer: {permissions: [github:read]}
  tech_lead: {permissions: ["github:*"]}
groups:
  ops: {members: [carol@example.org], roles: [tech_lead]}
users:
  - {email: alice@example.org, role: developer, api_keys: [alice-secret-key-abc123]}
  - {email: carol@example.org, groups: [ops], api_keys: [carol-secret-key-abc123]}
"""
BOB, DAVE = "bob@example.org", "dave@example.org"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_text(FILE, "torhaus.yml", {})


def roster(*persons: Person, **more: Any) -> Roster:
    return Roster(persons=persons, **more)


def row(email: str = BOB, *roles: str, **more: Any) -> Person:
    return person(email, **{"roles": roles, "expires": None, **more})


def test_a_person_of_the_database_has_his_roles(loaded: Loaded) -> None:
    rules = loaded.blueprint.rules((), roster(row(BOB, "developer", expires=5.0)))

    bob = rules.principals[BOB]
    assert (bob.expires, bob.roles(1.0)) == (5.0, ("developer",))
    assert [each.action for each in bob.phase(1.0).on("github").allows] == ["read"]
    assert rules.principals["alice@example.org"].roles(1.0) == ("developer",)


def test_teams_give_roles_of_their_own_or_of_the_files_group(loaded: Loaded) -> None:
    given = roster(
        row(BOB),
        row(DAVE),
        teams=(Team(name="web", roles=("developer",)), Team(name="ops", roles=("developer",))),
        members=(Membership("web", BOB, "database"), Membership("ops", DAVE, "idp:okta")),
    )
    rules = loaded.blueprint.rules((), given)

    assert rules.principals[BOB].roles(1.0) == ("developer",)
    assert rules.principals[BOB].groups == ("web",)
    assert rules.principals[DAVE].roles(1.0) == ("tech_lead",)
    assert rules.groups["ops"] == ("carol@example.org", DAVE)
    assert rules.groups["web"] == (BOB,)


def test_the_file_says_what_its_own_people_may(loaded: Loaded) -> None:
    alice = row("alice@example.org", "tech_lead", state=PersonState.INVITED, expires=1.0)
    rules = loaded.blueprint.rules((), roster(alice))

    assert rules.principals["alice@example.org"].roles(9.0) == ("developer",)
    assert rules.principals["alice@example.org"].expires is None
    assert len(rules.keys) == 2


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.GONE])
def test_who_is_away_calls_with_no_key_not_even_the_files(
    loaded: Loaded, state: PersonState
) -> None:
    rules = loaded.blueprint.rules((), roster(row("alice@example.org", state=state)))

    assert "alice@example.org" not in rules.principals
    assert [each.email for each in rules.keys.values()] == ["carol@example.org"]


@pytest.mark.parametrize("state", [PersonState.INVITED, PersonState.SUSPENDED, PersonState.GONE])
def test_only_active_people_call(loaded: Loaded, state: PersonState) -> None:
    rules = loaded.blueprint.rules((), roster(row(BOB, "developer", state=state)))

    assert BOB not in rules.principals


def test_roles_that_are_no_more_give_nothing_and_are_told(loaded: Loaded) -> None:
    rules = loaded.blueprint.rules((), roster(row(BOB, "wizard", "developer")))

    assert rules.principals[BOB].roles(1.0) == ("developer",)
    assert rules.unknown_roles == ((BOB, "wizard"),)


def test_a_service_account_is_a_principal_somebody_answers_for(loaded: Loaded) -> None:
    bot = row("ci@example.org", "developer", kind=PersonKind.SERVICE, responsible=BOB)

    rules = loaded.blueprint.rules((), roster(bot, row(BOB, "developer", responsible=DAVE)))

    ci = rules.principals["ci@example.org"]
    assert (ci.roles(1.0), ci.responsible) == (("developer",), BOB)
    assert rules.principals[BOB].responsible is None


def test_a_team_gives_roles_on_some_servers(loaded: Loaded) -> None:
    leads = Team(name="leads", roles=("tech_lead", "wizard"), servers=("github",))
    given = roster(row(BOB), teams=(leads,), members=(Membership("leads", BOB, "database"),))

    phase = loaded.blueprint.rules((), given).principals[BOB].phase(1.0)

    assert (phase.roles, phase.limited) == (("tech_lead",), {"tech_lead": ("github",)})
    assert phase.on("github").allows
    assert not phase.on("*").allows


def test_amended_rules_are_those_that_would_be_compiled_anew(loaded: Loaded) -> None:
    before = roster(row(BOB, "developer"), row(DAVE, "developer"))
    after = roster(row(BOB, "tech_lead"), row(DAVE, state=PersonState.GONE))
    old = loaded.blueprint.rules((), before)

    amended = loaded.blueprint.amended(old, (), after, [BOB, DAVE, "alice@example.org"])

    fresh = loaded.blueprint.rules((), after)
    assert amended.principals == fresh.principals
    assert amended.keys == fresh.keys
    assert amended.version != old.version
    assert old.principals[BOB].roles(1.0) == ("developer",)


def test_amended_rules_drop_the_keys_of_who_is_away(loaded: Loaded) -> None:
    old = loaded.blueprint.rules()
    gone = roster(row("alice@example.org", state=PersonState.SUSPENDED))

    amended = loaded.blueprint.amended(old, (), gone, ["alice@example.org"])

    assert "alice@example.org" not in amended.principals
    assert [each.email for each in amended.keys.values()] == ["carol@example.org"]


def test_nobody_stands_where_neither_knows_him() -> None:
    people = People(persons={"a@x.de": Known(email="a@x.de")}, grants=(), keys={}, groups={})
    merging = Merging(people, Roster(), ())

    assert merging.one("b@x.de") is None
    assert merging.one("a@x.de") == Known(email="a@x.de")


def test_nobody_but_the_file_and_providers_puts_people_into_the_files_groups(
    loaded: Loaded,
) -> None:
    """Or whoever makes a team in time has what the file gives a group of its name later."""
    given = roster(
        row(BOB),
        row(DAVE),
        teams=(Team(name="ops"),),
        members=(Membership("ops", BOB, "database"), Membership("ops", DAVE, "idp:okta")),
    )
    rules = loaded.blueprint.rules((), given)

    assert rules.principals[BOB].roles(1.0) == ()
    assert rules.principals[BOB].groups == ()
    assert rules.principals[DAVE].roles(1.0) == ("tech_lead",)
    assert rules.groups["ops"] == ("carol@example.org", DAVE)


def test_a_team_of_a_roles_name_makes_nobody_an_approver(loaded: Loaded) -> None:
    given = roster(
        row(BOB),
        teams=(Team(name="tech_lead", roles=("developer",)),),
        members=(Membership("tech_lead", BOB, "database"),),
    )
    bob = loaded.blueprint.rules((), given).principals[BOB]

    assert bob.roles(1.0) == ("developer",)
    assert not named(bob, ("tech_lead",), 1.0, "github")
