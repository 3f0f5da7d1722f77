import pytest

from tests.torhaus.config.deciding import loaded

KEY = "api_keys: [0123456789abcdef]"
PEOPLE = (
    "roles: {dev: {permissions: [github.read]}, ops: {permissions: [github.read]}}\n"
    f"users: [{{email: u@x.de, role: dev, groups: [night], {KEY}}}]\n"
)


def warned(text: str) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in loaded(PEOPLE + text).warnings]


@pytest.mark.parametrize(
    ("target", "dead"),
    [
        ("{role: ops}", True),
        ("{role: [ops, dev]}", False),
        ("[{role: dev}, {role: ops}]", True),
        ("{role: dev, group: night}", False),
        ("{mcp_servers: github}", False),
    ],
)
def test_a_policy_that_is_for_nobody_is_doubted(target: str, dead: bool) -> None:
    found = warned(f"policies: [{{name: x, action: deny, applies_to: {target}}}]")

    expected = [("policies[0].applies_to", "this applies to nobody: no user fits all of it")]
    assert found == (expected if dead else [])


def test_a_role_that_somebody_has_for_a_while_is_somebodys() -> None:
    grant = "temporary_access: [{user: u@x.de, role: ops, valid_until: 2099-12-31}]\n"

    assert warned(grant + "policies: [{name: x, action: deny, applies_to: {role: ops}}]") == []


CLOSED = "auth: {local: {enabled: false}}\n"


@pytest.mark.parametrize(
    ("more", "dead"),
    [
        ("", True),
        ("    approvers: [ops]", False),
        ("accessControl: [{role: ops, allow: [github.admin]}]", False),
        ("accessControl: [{role: ops, allow: ['*']}]", False),
        ("accessControl: [{role: ops, allow: [github:repos:admin]}]", True),
        ("github: {ops: {allow: ['admin:*']}}", False),
    ],
)
def test_an_approval_that_nobody_can_give_is_doubted(more: str, dead: bool) -> None:
    found = warned(f"{CLOSED}policies:\n  - name: x\n    action: require_approval\n{more}")

    assert ["nobody can approve" in message for _, message in found] == [True] * dead


def test_whoever_signs_in_may_hold_the_built_in_role_and_approve() -> None:
    asks = "policies: [{name: x, action: require_approval}]\n"
    one = f"users: [{{email: a@x.de, role: administrator, {KEY}}}]\n"

    assert warned(asks) == []
    assert loaded(CLOSED + asks + one).warnings == ()
