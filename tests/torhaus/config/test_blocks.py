import pytest

from tests.torhaus.config.deciding import MONDAY, allowed, decided, loaded
from torhaus.config.problems import ConfigError
from torhaus.model.rules import Rules
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.approvers import administrators

ALICE, BOB = "alice@x.de", "bob@x.de"
PEOPLE = (
    "roles: {dev: {permissions: [github:read]}, ops: {}}\n"
    f"users:\n  - {{email: {ALICE}, role: dev}}\n"
    f"  - {{email: {BOB}, roles: [dev, ops], groups: [night]}}\n"
)
API = {"owner": "myorg", "repo": "api"}
WEB = {"owner": "myorg", "repo": "web"}


def rules(text: str) -> Rules:
    return loaded(PEOPLE + text).rules


@pytest.mark.parametrize("whom", [BOB, "ops", "night", "BOB@x.de"])
def test_a_block_is_for_a_user_a_role_or_a_group(whom: str) -> None:
    found = rules(f"github: {{'{whom}': {{allow: [write:issues]}}}}")

    assert allowed(found, BOB, "github.create_issue", **API)
    assert not allowed(found, ALICE, "github.create_issue", **API)


@pytest.mark.parametrize(
    "text",
    [
        "permissions: {github: {ops: {allow: [write:issues], deny: [read:gists]}}}",
        "github: {ops: {allow: [write:issues], deny: [read:gists]}}",
    ],
)
def test_permissions_and_a_servers_own_key_are_the_same(text: str) -> None:
    found = rules(text)

    assert allowed(found, BOB, "github.create_issue", **API)
    assert not allowed(found, BOB, "github.list_gists")
    assert allowed(found, ALICE, "github.list_gists")


def test_blocks_add_to_roles_and_an_exclusive_one_stands_alone() -> None:
    block = "github: {ops: {allow: [write:issues], exclusive: %s}}"

    assert allowed(rules(block % "false"), BOB, "github.list_issues", **API)
    found = rules(block % "true")
    assert not allowed(found, BOB, "github.list_issues", **API)
    assert allowed(found, BOB, "github.create_issue", **API)
    assert allowed(found, ALICE, "github.list_issues", **API)


def test_a_role_gets_no_way_around_an_exclusive_block_of_the_user() -> None:
    found = rules(
        f"github: {{{BOB}: {{allow: [read:labels], exclusive: true}}, ops: {{allow: [read:*]}}}}"
    )

    assert allowed(found, BOB, "github.list_label", **API)
    assert not allowed(found, BOB, "github.list_issues", **API)


def test_a_deny_wins_over_every_allow() -> None:
    found = rules(f"github: {{{BOB}: {{allow: ['*']}}, ops: {{deny: [write:issues]}}}}")

    denied = decided(found, BOB, "github.create_issue", API)
    assert isinstance(denied, Deny)
    assert denied.rule == "github block of ops: deny write:issues"
    assert allowed(found, BOB, "github.push_files", **API)


@pytest.mark.parametrize(
    "scope",
    ["[myorg/a*]", "myorg/a*", "{allow: [myorg/*], deny: [myorg/web]}", "{deny: [myorg/web]}"],
)
def test_repositories_may_be_a_list_or_allow_and_deny(scope: str) -> None:
    found = rules(f"github: {{dev: {{repos: {scope}}}}}")

    assert allowed(found, ALICE, "github.list_issues", **API)
    assert not allowed(found, ALICE, "github.list_issues", **WEB)
    assert not allowed(found, ALICE, "github.search_issues", query="x")


def test_a_star_alone_bounds_nothing_and_denied_leaves_nothing() -> None:
    everything = rules("github: {dev: {repos: ['*']}}")
    nothing = rules("github: {dev: {repos: {deny: ['*']}}}")

    assert allowed(everything, ALICE, "github.search_issues", query="x")
    assert not allowed(nothing, ALICE, "github.list_issues", **API)


def test_bounds_of_several_blocks_must_all_hold() -> None:
    found = rules(f"github: {{dev: {{repos: [myorg/*]}}, {BOB}: {{repos: ['*/api']}}}}")

    assert allowed(found, BOB, "github.list_issues", **API)
    assert not allowed(found, BOB, "github.list_issues", **WEB)
    assert not allowed(found, BOB, "github.list_issues", owner="other", repo="api")
    assert allowed(found, ALICE, "github.list_issues", **WEB)


def test_networks_and_clients_of_a_block_bound_where_calls_come_from() -> None:
    found = rules("github: {dev: {networks: [10.0.0.0/8], clients: [Claude-Code]}}")

    def may(ip: str, client: str) -> bool:
        asked = decided(found, ALICE, "github.get_me", {}, ip=ip, client=client)
        return isinstance(asked, Allow)

    assert may("10.1.2.3", "claude-code")
    assert not may("192.0.2.1", "claude-code")
    assert not may("10.1.2.3", "cursor")
    access = found.principals[ALICE].phase(0).on("github")
    assert (access.arguments, access.moment) == (False, True)


def test_a_condition_limits_what_a_rule_allows_denies_and_bounds() -> None:
    entry = (
        "accessControl: [{role: dev, allow: [github.write], deny: [github:issues:read], "
        "repos: [myorg/api], when: '\"api\" == args.repo'}]"
    )
    found = rules(entry)

    assert allowed(found, ALICE, "github.push_files", **API)
    assert not allowed(found, ALICE, "github.push_files", **WEB)
    assert not allowed(found, ALICE, "github.list_issues", **API)
    assert allowed(found, ALICE, "github.list_issues", **WEB)
    assert allowed(found, ALICE, "github.list_commits", **WEB)
    assert not allowed(found, ALICE, "github.list_commits", owner="other", repo="api")


def test_where_a_condition_cannot_be_told_the_deny_stands_and_the_allow_does_not() -> None:
    entry = "accessControl: [{role: dev, %s: [github:%s:write], when: 'args.repo.size() > 2'}]"
    gives, takes = entry % ("allow", "gists"), entry % ("deny", "gists")

    assert not allowed(rules(gives), ALICE, "github.create_gist", repo=5)
    more = takes + "\ngithub: {dev: {allow: [write:gists]}}"
    assert not allowed(rules(more), ALICE, "github.create_gist", repo=5)
    assert allowed(rules(more), ALICE, "github.create_gist", repo="x")


def test_entries_of_access_control_bound_and_deny_on_every_server() -> None:
    found = rules(
        "accessControl:\n  - {role: dev, allow: [sentry.read], deny: [github:gists:read]}\n"
        "  - {role: dev, repos: [myorg/*], projects: {deny: [secret]}}"
    )

    assert not allowed(found, ALICE, "github.list_gists")
    assert not allowed(found, ALICE, "github.list_issues", owner="other", repo="api")
    events = {"organizationSlug": "o", "projectSlug": "web"}
    assert allowed(found, ALICE, "sentry.search_events", **events)
    assert not allowed(found, ALICE, "sentry.search_events", **{**events, "projectSlug": "secret"})


def test_other_kinds_of_things_bound_alike() -> None:
    access = rules("github: {dev: {channels: ['#ops-*'], paths: {deny: [/etc/**]}}}")

    bounds = access.principals[ALICE].phase(0).on("github").bounds
    assert [(b.kind, b.rule) for b in bounds] == [
        ("channels", "github block of dev: channels"),
        ("paths", "github block of dev: paths"),
    ]


def test_two_blocks_for_one_address_in_different_case_both_count() -> None:
    found = rules("github:\n  BOB@x.de: {deny: [write]}\n  bob@X.de: {allow: ['*']}")

    assert allowed(found, BOB, "github.delete_file", **API)
    assert not allowed(found, BOB, "github.create_issue", **API)


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        ("github:\n  dev:\n    alow: [read]", 10, "github.dev.alow", "unknown key 'alow'"),
        ("github:\n  dev:\n    allow: read:issues", 10, "github.dev.allow", "must be a list"),
        ("github:\n  dev: [read:issues]", 9, "github.dev", "must be a block of keys"),
        ("github:\n  - dev", 8, "github", "must be a block of keys"),
        ("github:\n  dev:\n    repos: {alow: [a/b]}", 10, "github.dev.repos.alow", "unknown key"),
        ("github:\n  dev:\n    repos: [5]", 10, "github.dev.repos[0]", "must be text"),
        ("github:\n  dev:\n    repos: ['a{b}']", 10, "github.dev.repos[0]", "means nothing here"),
        ("github:\n  dev:\n    repos: " + "'" + "a*" * 20 + "'", 10, "github.dev.repos", "stars"),
        (
            "github:\n  dev:\n    {when: 'true', networks: [loopback], exclusive: true}",
            9,
            "github.dev",
            "exclusive and networks cannot depend on when",
        ),
        ("github:\n  dev:\n    exclusive: maybe", 10, "github.dev.exclusive", "true or false"),
        ("github:\n  dev:\n    networks: [10.0.0.1/8]", 10, "github.dev.networks", "not a network"),
        ("github:\n  dev:\n    when: 'tool ='", 10, "github.dev.when", "is not CEL"),
        ("github:\n  dev:\n    when: 'tol == \"x\"'", 10, "github.dev.when", "'tol'"),
        ("github:\n  'a b@':\n    allow: []", 9, "github.a b@", "no such user"),
        ("github:\n  '':\n    allow: []", 9, "github.", "not a role's name"),
    ],
)
def test_a_mistake_in_a_block_is_named_with_its_line(
    text: str, line: int, path: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(text)

    problem = caught.value.problems[0]
    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message


def test_a_role_that_opens_everything_is_there_without_being_written() -> None:
    found = loaded(f"users: [{{email: {ALICE}, role: administrator}}]")

    assert found.warnings == ()
    assert allowed(found.rules, ALICE, "github.delete_repository", **API)
    assert administrators(found.rules, "*", MONDAY) == (ALICE,)


@pytest.mark.parametrize(
    "text",
    [
        "roles: {administrator: {permissions: [github:read]}}\n",
        "accessControl: [{role: administrator, allow: [github.read]}]\n",
    ],
)
def test_a_role_of_the_file_by_that_name_stands_in_its_place(text: str) -> None:
    found = loaded(f"{text}users: [{{email: {ALICE}, role: administrator}}]").rules

    assert allowed(found, ALICE, "github.list_issues", **API)
    assert not allowed(found, ALICE, "github.delete_repository", **API)
    assert administrators(found, "*", MONDAY) == ()
