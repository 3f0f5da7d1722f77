import pytest

from tests.torhaus.config.deciding import allowed, from_environment, loaded
from torhaus.config.problems import ConfigError, Problem

PEOPLE = "roles: {dev: {}, ops: {}}\nusers: [{email: alice@x.de, role: dev}]\n"


def problem(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize("text", ["github.read", "github:read", "github:*:read", "github.*.read"])
def test_dots_and_colons_in_permissions_mean_the_same(text: str) -> None:
    rules = loaded(
        f"roles: {{dev: {{permissions: ['{text}']}}}}\nusers: [{{email: alice@x.de, role: dev}}]"
    ).rules

    assert allowed(rules, "alice@x.de", "github.get_me")
    assert not allowed(rules, "alice@x.de", "github.star_repository", owner="a", repo="b")


@pytest.mark.parametrize("text", ["read:issues", "read.issues", "read:*", "read", "*:issues", "*"])
def test_in_a_servers_block_the_action_comes_first(text: str) -> None:
    rules = loaded(PEOPLE + f"github: {{dev: {{allow: ['{text}']}}}}").rules

    assert allowed(rules, "alice@x.de", "github.list_issues", owner="a", repo="b")
    assert not allowed(rules, "alice@x.de", "sentry.find_teams")


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("raed:issues", "'raed' is not an action", "did you mean read?"),
        ("read:isues", "'isues' is not a type", "did you mean issues?"),
        ("issues:read", "the action must come first", "write read:issues"),
        ("issues:*", "the action must come first", "write read:issues"),
        ("github:read", "names the server again", "write action:type"),
        ("github:issues:read", "names the server again", "write action:type"),
        ("read:", "'' is not a type", "use *"),
        ("READ:issues", "'READ' is not an action", "did you mean read?"),
        ("read: issues", "' issues' is not a type", "did you mean issues?"),
    ],
)
@pytest.mark.parametrize("key", ["allow", "deny"])
def test_a_word_nobody_knows_is_an_error(key: str, text: str, message: str, fix: str) -> None:
    found = problem(PEOPLE + f'github:\n  dev:\n    {key}:\n      - "{text}"')

    assert (found.line, found.path) == (9, f"github.dev.{key}[0]")
    assert message in found.message
    assert fix in found.fix


def test_a_type_that_a_classification_names_is_a_word() -> None:
    servers = (
        "mcpServers:\n  api:\n    url: https://api.example.com\n"
        "    classification: {tools: {ship_order: {action: write, resource: orders}}}\n"
    )
    text = "roles: {dev: {permissions: [api:orders:write]}}\nusers: [{email: a@x.de, role: dev}]"

    rules = loaded(text, servers=servers).rules

    assert allowed(rules, "a@x.de", "api.ship_order")


@pytest.mark.parametrize(
    ("whom", "message", "fix"),
    [
        ("devs", "no such role or group: 'devs'", "did you mean dev?"),
        ("alise@x.de", "no such user: 'alise@x.de'", "did you mean alice@x.de?"),
        ("bob@elsewhere.example", "no such user", "add this user"),
    ],
)
def test_a_block_for_a_slip_of_a_name_is_an_error(whom: str, message: str, fix: str) -> None:
    found = problem(PEOPLE + f"github:\n  {whom}: {{deny: ['write:*']}}")

    assert (found.line, found.path) == (7, f"github.{whom}")
    assert message in found.message
    assert fix in found.fix


def test_a_block_for_an_unknown_group_matches_nobody_with_a_warning() -> None:
    found = loaded(PEOPLE + "github: {night-shift: {deny: ['write:*']}}")

    assert "matches nobody" in found.warnings[-1].message


def test_addresses_in_blocks_are_compared_without_case() -> None:
    rules = loaded(PEOPLE + "github: {Alice@X.de: {allow: [read:users]}}").rules

    assert allowed(rules, "alice@x.de", "github.get_me")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policies: [{name: x, action: deny, applies_to: {mcp_servers: githb}}]", "no server"),
        ("accessControl: [{role: dev, deny: [githb.write]}]", "no server"),
        ("permissions: {githb: {dev: {deny: [write]}}}", "no server"),
        ("roles: {r: {restrictions: [no_githb_write]}}", "no server"),
    ],
)
def test_a_rule_that_holds_back_on_a_server_nobody_knows_is_an_error(
    text: str, message: str
) -> None:
    found = problem(text if text.startswith("roles") else PEOPLE + text)

    assert message in found.message
    assert "did you mean github?" in found.fix


@pytest.mark.parametrize(
    "text",
    [
        "policies: [{name: x, action: deny, applies_to: {mcp_servers: GitHub}}]",
        "policies: [{name: x, action: deny, applies_to: {tools: GitHub.create_issue}}]",
        "policies: [{name: x, action: deny, applies_to: {tools: 'githb:create_issue'}}]",
        "accessControl: [{role: dev, deny: [GitHub.write]}]",
        "Github: {dev: {deny: [write]}}",
        "roles: {r: {restrictions: [no_GitHub_write]}}",
        "data_classes: {sensitive: {tools: [GitHub.get_secret]}}",
    ],
)
def test_a_rule_that_holds_back_names_servers_in_their_own_case(text: str) -> None:
    """It does not wait for a server of a shipped table that is there already."""
    people = "" if text.startswith("roles") else PEOPLE

    with pytest.raises(ConfigError, match="did you mean github"):
        loaded(people + text)


def test_a_tools_name_may_have_a_dot() -> None:
    rule = "policies: [{name: x, action: deny, applies_to: {tools: [files.delete, a.b.c]}}]"

    assert loaded(PEOPLE + rule).rules is not None


def test_what_the_environment_holds_is_never_shown() -> None:
    text = PEOPLE + 'github: {dev: {allow: ["${ACTION}"], repos: ["${REPO}"], when: "${WHEN}"}}'

    with pytest.raises(ConfigError) as caught:
        from_environment(text, {"ACTION": "hunter2:all", "REPO": "hunter2[", "WHEN": "hunter2 =="})

    assert len(caught.value.problems) == 3
    assert "hunter2" not in str(caught.value)


def test_nothing_is_shown_of_a_block_whose_address_is_spelled_otherwise() -> None:
    text = PEOPLE + 'github: {Alice@X.de: {allow: ["${ACTION}"], repos: ["${REPO}"]}}'

    with pytest.raises(ConfigError) as caught:
        from_environment(text, {"ACTION": "hunter2:all", "REPO": "hunter2["})

    assert "hunter2" not in str(caught.value)


def test_no_warning_shows_what_the_environment_holds() -> None:
    text = (
        'roles: {dev: {permissions: ["${A}", "${B}"]}}\nusers: [{email: a@x.de, role: dev}]\n'
        'github: {dev: {projects: {allow: ["${C}"], deny: ["hunter*"]}}}\n'
        'policies: [{name: x, action: deny, applies_to: {tools: "${C}", mcp_servers: "${D}"}}]\n'
        'temporary_access: [{user: "${E}", role: dev, valid_until: 2025-12-31}]\n'
    )
    values = {
        "A": "hunter2:read", "B": "github:alerts:resolve", "C": "hunter2",
        "D": "hunter2:production", "E": "hunter2@x.de",
    }  # fmt: skip
    values["B"] = "github:gists:resolve"

    found = from_environment(text, values)

    assert len(found.warnings) > 4
    assert [str(warning) for warning in found.warnings if "hunter2" in str(warning)] == []
