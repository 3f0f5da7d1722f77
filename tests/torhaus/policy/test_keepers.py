"""Who may change credentials for servers, from the file on."""

import msgspec
import pytest

from torhaus.config.load import load_text
from torhaus.model.access import Access
from torhaus.policy.keepers import may_keep
from torhaus.policy.permission import parse

KEY = "k" * 32
NOW = 1_790_000_000.0


def may(role: str, server: str = "github", more: str = "", now: float = NOW) -> bool:
    text = f"""
mcpServers:
  github: {{url: https://github.example.com/mcp}}
roles:
  dana: {{permissions: [{role}]}}
users:
  - {{email: dana@example.com, role: dana, api_keys: ["${{KEY}}"]}}
{more}
"""
    found = load_text(text, "torhaus.yml", {"KEY": KEY}).rules
    return may_keep(next(iter(found.principals.values())), server, now) is None


@pytest.mark.parametrize("role", ["torhaus:credentials:admin", "'*'", "'github:admin'"])
def test_the_right_itself_and_administration_of_the_server_are_enough(role: str) -> None:
    assert may(role)


@pytest.mark.parametrize("role", ["torhaus:audit:read", "github:write", "'*:read'"])
def test_other_rights_are_not(role: str) -> None:
    assert not may(role)


def test_administration_of_one_server_is_not_that_of_all() -> None:
    assert not may("'github:admin'", "*")
    assert not may("'github:admin'", "sentry")
    assert may("torhaus:credentials:admin", "*")


@pytest.mark.parametrize("deny", ["torhaus:credentials:admin", "'*:admin'"])
def test_a_deny_removes_it(deny: str) -> None:
    denied = f"accessControl: [{{role: dana, deny: [{deny}]}}]"

    assert not may("torhaus:credentials:admin", more=denied)


def test_a_credential_that_is_held_to_scopes_changes_none() -> None:
    """A key for reading must not put another credential in the place of a server's."""
    text = """
mcpServers: {github: {url: https://github.example.com/mcp}}
roles: {dana: {permissions: ["*"]}}
users: [{email: dana@example.com, role: dana, api_keys: ["${KEY}"]}]
"""
    (dana,) = load_text(text, "torhaus.yml", {"KEY": KEY}).rules.principals.values()
    read = parse("github:read", "the key")

    def held(access: Access) -> Access:
        return msgspec.structs.replace(access, scopes=(read,))

    phases = tuple(
        msgspec.structs.replace(
            phase, access={name: held(access) for name, access in phase.access.items()}
        )
        for phase in dana.phases
    )

    assert may_keep(dana, "github", NOW) is None
    assert may_keep(msgspec.structs.replace(dana, phases=phases), "github", NOW) is not None
