import pytest

from tests.torhaus.config.deciding import allowed, at, loaded
from torhaus.config.problems import ConfigError
from torhaus.model.access import NO_ACCESS
from torhaus.model.grant import Grant

KEY = "0123456789abcdef"
DEV = "roles: {dev: {permissions: [github.read]}, ops: {permissions: [sentry.read]}}\n"
USER = "users: [{email: u@x.de, role: dev, expires: 2025-12-31}]\n"


def test_public_anonymous_networks_are_warned_about() -> None:
    text = "roles: {a: {}}\nauth: {anonymous: {networks: [%s], roles: [a]}}"

    assert "public networks" in loaded(text % "0.0.0.0/0").warnings[0].message
    assert loaded(text % "private").warnings == ()


def test_a_permission_for_a_server_that_is_not_there_is_a_warning() -> None:
    found = loaded(
        "accessControl: [{role: a, allow: [gihub.read]}]\n"
        f"users: [{{email: u@x.de, role: a, api_keys: ['{KEY}']}}]"
    )

    (warning,) = found.warnings
    assert (warning.line, warning.path) == (4, "accessControl[0].allow[0]")
    assert warning.fix == "did you mean github?"
    assert found.rules.principals["u@x.de"].phase(0).on("github") == NO_ACCESS


def grant(text: str) -> str:
    return f"temporary_access: [{{user: u@x.de, role: ops, valid_until: 2025-11-30, {text}}}]"


def test_temporary_access_is_a_phase_of_its_user() -> None:
    rules = loaded(DEV + USER + grant("valid_from: 2025-11-01")).rules

    phases = rules.principals["u@x.de"].phases
    assert [phase.roles for phase in phases] == [("dev",), ("dev", "ops"), ("dev",)]
    assert [phase.ends for phase in phases[:2]] == [
        at("2025-11-01T00:00:00+00:00"),
        at("2025-12-01T00:00:00+00:00"),
    ]


def test_temporary_access_may_replace_what_the_user_is() -> None:
    rules = loaded(DEV + USER + grant("mode: replace")).rules

    during = at("2025-11-30T23:59:59+00:00")
    assert not allowed(rules, "u@x.de", "github.get_me", during)
    assert allowed(rules, "u@x.de", "sentry.find_teams", during)
    assert allowed(rules, "u@x.de", "github.get_me", during + 1)


def test_days_are_of_the_servers_zone_and_moments_are_exact() -> None:
    zone = "server: {timezone: Europe/Berlin}\n"

    day = loaded(zone + DEV + USER + grant("valid_from: 2025-11-01")).rules.grants[0]
    moment = loaded(
        zone + DEV + USER + grant("valid_from: 2025-11-01T09:00").replace("11-30", "11-30T17:00Z")
    ).rules.grants[0]

    assert (day.begins, day.ends) == (
        at("2025-11-01T00:00:00+01:00"),
        at("2025-12-01T00:00:00+01:00"),
    )
    assert (moment.begins, moment.ends) == (
        at("2025-11-01T09:00:00+01:00"),
        at("2025-11-30T17:00:00+00:00"),
    )


def test_somebody_with_temporary_access_only_is_nobody_before_and_after() -> None:
    during = "valid_from: 2025-11-01, valid_until: 2025-11-30"
    found = loaded(f"{DEV}temporary_access: [{{user: g@x.de, role: dev, {during}}}]")

    guest = found.rules.principals["g@x.de"]
    assert [bool(phase.access) for phase in guest.phases] == [False, True, False]
    assert any("g@x.de' is no user" in warning.message for warning in found.warnings)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("role: dve, valid_until: 2025-11-30", "role", "no such role: 'dve'"),
        ("role: dev", "valid_until", "is missing"),
        ("role: dev, valid_until: soon", "valid_until", "not a date"),
        ("role: dev, valid_until: 9999-12-31", "valid_until", "out of range"),
        ("role: dev, valid_until: 2025-11-30, valid_from: 2025-12-01", "", "ends before it begins"),
        ("role: dev, valid_until: 2025-11-30, mode: instead", "mode", "must be add or replace"),
        ("role: dev, valid_until: 2025-11-30, notify_before_expiry: 5s", "notify_before_expiry",
         "out of range"),
        ("role: dev, valid_until: 2025-11-30, untill: x", "untill", "unknown key 'untill'"),
    ],
)  # fmt: skip
def test_a_mistake_in_temporary_access_is_named(text: str, path: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(f"{DEV}{USER}temporary_access: [{{user: u@x.de, {text}}}]")

    (problem,) = caught.value.problems
    assert problem.path == f"temporary_access[0].{path}".rstrip(".")
    assert message in problem.message


def test_a_user_with_thousands_of_grants_is_refused() -> None:
    many = "  - {user: u@x.de, role: ops, valid_until: 2025-11-30}\n" * 101

    with pytest.raises(ConfigError, match="more than 100 grants"):
        loaded(f"{DEV}{USER}temporary_access:\n{many}")


def test_grants_from_the_database_join_the_files() -> None:
    given = Grant(
        id="7",
        user="u@x.de",
        role="ops",
        begins=at("2025-10-20T10:00:00+00:00"),
        ends=at("2025-10-20T11:00:00+00:00"),
    )
    bare = loaded(DEV + USER)

    found = bare.with_grants([given])

    assert found.rules.grants == (given,)
    assert not allowed(bare.rules, "u@x.de", "sentry.find_teams", given.begins)
    assert allowed(found.rules, "u@x.de", "sentry.find_teams", given.begins)
    assert not allowed(found.rules, "u@x.de", "sentry.find_teams", given.ends)
    assert loaded(DEV + USER, grants=(given,)).rules.version == found.rules.version
    assert found.rules.version != bare.rules.version
    assert found.rules.policy_version == bare.rules.policy_version
    assert found.with_grants([]).rules == bare.rules


def test_grants_may_change_for_ever() -> None:
    text = DEV + USER + "github:\n  u@x.de:\n    deny:\n" + "      - write:gists\n" * 20
    more = "policies:\n" + "".join(f"- {{name: p{n}, action: log_only}}\n" for n in range(1000))
    found = loaded(text + more)
    given = Grant(id="1", user="u@x.de", role="ops", begins=0, ends=9e9)

    for _ in range(100):
        found = found.with_grants([given]).with_grants([])

    assert allowed(found.rules, "u@x.de", "github.get_me")


def test_a_grant_of_a_role_or_for_a_user_that_is_gone_gives_nothing() -> None:
    gone = [
        Grant(id="1", user="u@x.de", role="gone", begins=0, ends=9e9),
        Grant(id="2", user="gone@x.de", role="ops", begins=0, ends=9e9),
    ]

    rules = loaded(DEV + USER).with_grants(gone).rules

    assert [phase.roles for phase in rules.principals["u@x.de"].phases] == [("dev",)]
    assert "gone@x.de" not in rules.principals


def test_an_expired_user_has_nothing_though_a_grant_lasts_on() -> None:
    given = Grant(id="1", user="u@x.de", role="ops", begins=0, ends=9e9)
    rules = loaded(DEV + USER).with_grants([given]).rules

    assert allowed(rules, "u@x.de", "sentry.find_teams", at("2025-12-31T23:59:59+00:00"))
    assert not allowed(rules, "u@x.de", "sentry.find_teams", at("2026-01-01T00:00:00+00:00"))


def test_the_anonymous_have_rules_as_everybody() -> None:
    text = (
        "auth: {anonymous: {networks: [loopback], roles: [dev]}}\ngithub: {dev: {repos: [a/*]}}\n"
    )
    rules = loaded(DEV + text).rules

    (access,) = rules.anonymous
    assert access.principal is rules.principals["anonymous"]
    assert allowed(rules, "anonymous", "github.list_issues", owner="a", repo="b")
    assert not allowed(rules, "anonymous", "github.list_issues", owner="b", repo="b")


def test_the_policy_version_is_of_what_decides_calls_and_nothing_else() -> None:
    def version(text: str, servers: str = "mcpServers: {github: {url: 'https://g.de'}}\n") -> str:
        return loaded(text, servers=servers).rules.policy_version

    same = version(DEV + USER)
    assert same == version(f"# a comment\n{USER}{DEV}")
    assert same == version(DEV + USER.replace("role: dev", f"role: dev, api_keys: ['{KEY}']"))
    assert same == version(DEV + USER, "mcpServers: {github: {url: 'https://g.de', timeout: 5}}\n")
    others = [
        version(DEV + USER.replace("dev,", "ops,")),
        version(DEV.replace("github.read", "github.write") + USER),
        version(DEV + USER + "github: {dev: {deny: [write]}}"),
        version(DEV + USER + "permissions: {github: {dev: {deny: [write]}}}"),
        version(DEV + USER + "policies: [{name: x, action: deny}]"),
        version(DEV + USER + "data_classes: {sensitive: {repos: [a/b]}}"),
        version(DEV + USER + grant("mode: add")),
        version(DEV + USER, "mcpServers: {github: {url: 'https://g.de', environment: test}}\n"),
        version(DEV + USER, "mcpServers: {other: {url: 'https://g.de'}}\n"),
    ]
    assert len({same, *others}) == 10


def test_a_service_account_names_who_answers_for_it() -> None:
    user = "users: [{email: u@x.de, role: dev}, {email: ci@x.de, role: dev, responsible: U@x.de}]"
    rules = loaded(f"{DEV}{user}").rules

    assert rules.principals["ci@x.de"].responsible == "u@x.de"
    assert rules.principals["u@x.de"].responsible is None
    assert rules.filed == {"u@x.de": None, "ci@x.de": "u@x.de"}
    assert rules.held == {"u@x.de": ("dev",), "ci@x.de": ("dev",)}
    with pytest.raises(ConfigError) as caught:
        loaded(f"{DEV}users: [{{email: u@x.de, role: dev, responsible: u@x.de}}]")
    assert caught.value.problems[0].path == "users[0].responsible"
