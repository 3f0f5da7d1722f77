import pytest

from tests.torhaus.config.deciding import loaded
from torhaus.config.catalogues import Catalogue
from torhaus.model.servers import HttpAddress, Server
from torhaus.policy.tables import shipped

DEV = "roles: {dev: {permissions: ['%s']}}\nusers: [{email: u@x.de, role: dev, api_keys: [%s]}]\n"
KEY = "0123456789abcdef"
OTHERS = (
    'mcpServers:\n  github: {url: "https://mcp.github.com"}\n  own: {url: "https://own.de"}\n'
    "  some:\n    url: https://some.de\n"
    "    classification: {tools: {ship: {action: write, resource: orders}}}\n"
)


def warned(text: str) -> list[tuple[str, str]]:
    said = [(each.path, each.message) for each in loaded(text, servers=OTHERS).warnings]
    return [each for each in said if "never" in each[1]]


@pytest.mark.parametrize(
    "permission",
    ["github:gists:delete", "github:resolve", "some:read", "some:orders:delete"],
)
def test_a_permission_that_no_known_tool_could_use_is_doubted(permission: str) -> None:
    ((path, message),) = warned(DEV % (permission, KEY))

    assert path == "roles.dev.permissions[0]"
    assert "never matches" in message


@pytest.mark.parametrize(
    "permission",
    [
        "github:issues:delete", "github:repos:delete", "github:contents:read", "github:*",
        "own:read", "own:issues:delete", "some:orders:write", "*:resolve", "github:resources:read",
    ],
)  # fmt: skip
def test_a_permission_that_some_tool_could_use_is_not(permission: str) -> None:
    assert warned(DEV % (permission, KEY)) == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{tools: create_isue}", "a tool called 'createisue'"),
        ("{tools: [create_issue, 'frob_*']}", "a tool called 'frob*'"),
        ("{tools: github.frob}", "a tool called 'frob'"),
        ("{types: issues, actions: resolve}", "resolve on issues"),
        ("{types: orders}", "on orders"),
    ],
)
def test_what_a_policy_names_and_no_tool_is_is_doubted(target: str, said: str) -> None:
    policy = "policies: [{name: x, action: deny, applies_to: [{mcp_servers: github}, %s]}]"

    ((path, message),) = warned(DEV % ("*", KEY) + policy % target)

    assert path == "policies[0].applies_to"
    assert said in message


def test_a_policy_for_a_server_that_nobody_knows_is_not_doubted() -> None:
    policy = "policies: [{name: x, action: deny, applies_to: {tools: frob, types: issues}}]"

    assert warned(DEV % ("*", KEY) + policy) == []


def test_a_tool_of_any_type_may_be_about_anything() -> None:
    classes, parents = shipped("sentry", None)
    address = HttpAddress(url="https://s.de")
    sentry = Catalogue(Server(name="s", address=address, classes=classes, parents=parents))

    assert sentry.has("labels", "read")
    assert not sentry.has("labels", "delete")
