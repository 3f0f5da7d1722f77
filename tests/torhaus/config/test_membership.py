import pytest

from tests.torhaus.config.deciding import allowed, loaded
from torhaus.config.membership import gathered
from torhaus.config.problems import ConfigError

ROLES = "roles: {dev: {}, ops: {permissions: [sentry.read]}}\n"
USERS = "users: [{email: a@x.de, role: dev}, {email: b@x.de, role: dev, groups: [night]}]\n"


@pytest.mark.parametrize(
    "groups", ["{night: [a@x.de]}", "{night: {description: who is up, members: [A@X.de]}}"]
)
def test_members_are_listed_by_the_group_or_list_it_themselves(groups: str) -> None:
    rules = loaded(f"{ROLES}{USERS}groups: {groups}").rules

    assert rules.groups == {"night": ("a@x.de", "b@x.de")}
    assert {name: each.groups for name, each in rules.principals.items()} == {
        "a@x.de": ("night",),
        "b@x.de": ("night",),
    }


def test_a_group_gives_its_roles_to_its_members() -> None:
    rules = loaded(f"{ROLES}{USERS}groups: {{night: {{roles: [ops]}}}}").rules

    assert allowed(rules, "b@x.de", "sentry.find_teams")
    assert not allowed(rules, "a@x.de", "sentry.find_teams")
    assert rules.principals["b@x.de"].phase(0).roles == ("dev", "ops")


def test_what_a_group_gives_may_count_on_some_servers_only() -> None:
    roles = "roles: {dev: {}, ops: {permissions: ['*']}}\n"
    group = "groups: {night: {roles: [ops], servers: [sentry]}}"
    rules = loaded(f"{roles}{USERS}{group}").rules

    assert allowed(rules, "b@x.de", "sentry.find_teams")
    assert not allowed(rules, "b@x.de", "github.list_issues")
    phase = rules.principals["b@x.de"].phase(0)
    assert (phase.roles, phase.limited) == (("dev", "ops"), {"ops": ("sentry",)})
    assert (phase.roles_on("sentry"), phase.roles_on("github")) == (("dev", "ops"), ("dev",))
    [team] = rules.teams
    assert (team.name, team.owner, team.roles, team.servers) == (
        "night",
        "file",
        ("ops",),
        ("sentry",),
    )


def test_what_somebody_has_everywhere_no_group_limits() -> None:
    given = [(("dev", "ops"), ("github",)), (("ops",), ("jira", "github")), (("qa",), ())]

    assert gathered(("dev",), given) == (("dev", "qa"), {"ops": ("github", "jira")})


def test_a_user_may_have_his_roles_from_groups_alone() -> None:
    users = "users: [{email: c@x.de, groups: [night]}]\n"
    rules = loaded(f"{ROLES}{users}groups: {{night: {{roles: [ops]}}}}").rules

    assert allowed(rules, "c@x.de", "sentry.find_teams")


@pytest.mark.parametrize(
    ("groups", "path", "message", "fix"),
    [
        ("{night: [c@x.de]}", "groups.night[0]", "no such user: 'c@x.de'", "did you mean"),
        ("{night: {members: [a]}}", "groups.night.members[0]", "not an e-mail", "alice@"),
        ("{night: [a]}", "groups.night[0]", "not an e-mail", "alice@"),
        ("{night: {roles: [opps]}}", "groups.night.roles[0]", "no such role", "did you mean ops?"),
        ("{nihgt: []}", "users[1].groups[0]", "no such group", "did you mean nihgt?"),
        ("{night: {servers: [sentri]}}", "groups.night.servers[0]", "no server 'sentri'", "sentry"),
        ("{night: {member: []}}", "groups.night.member", "unknown key", "did you mean members?"),
        ("{'': []}", "groups.", "not a group's name", "letters"),
        ("{a@b: []}", "groups.a@b", "not a group's name", "letters"),
    ],
)
def test_a_mistake_in_a_group_is_named(groups: str, path: str, message: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(f"{ROLES}{USERS}groups: {groups}")

    problem = caught.value.problems[-1]
    assert problem.path == path
    assert message in problem.message
    assert fix in problem.fix
