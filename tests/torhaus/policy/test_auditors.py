"""Who may read everybody's audit records, from the file on."""

import pytest

from torhaus.config.load import load_text
from torhaus.model.rules import Rules
from torhaus.policy.auditors import may_audit

KEY = "k" * 32
NOW = 1_790_000_000.0


def rules(role: str, more: str = "") -> Rules:
    text = f"""
mcpServers:
  github: {{url: https://github.example.com/mcp}}
roles:
  dana: {{permissions: [{role}]}}
  other: {{permissions: ["github:read"]}}
users:
  - {{email: dana@example.com, role: dana, api_keys: ["${{KEY}}"]}}
{more}
"""
    return load_text(text, "torhaus.yml", {"KEY": KEY}).rules


def reads(found: Rules, now: float = NOW) -> bool:
    return may_audit(next(iter(found.principals.values())), now) is None


@pytest.mark.parametrize("role", ["torhaus:audit:read", "torhaus.audit.read", "'*'"])
def test_the_right_itself_and_every_right_open_the_log(role: str) -> None:
    assert reads(rules(role))


@pytest.mark.parametrize("role", ["'*:read'", "'github:*'", "'*:admin'", "github:read"])
def test_rights_over_servers_do_not(role: str) -> None:
    found = rules(role)

    assert not reads(found)
    assert may_audit(next(iter(found.principals.values())), NOW) == (
        "reading the audit log needs the permission torhaus:audit:read"
    )


@pytest.mark.parametrize("deny", ["torhaus:audit:read", "'*:read'"])
def test_a_deny_removes_it_even_from_who_may_do_everything(deny: str) -> None:
    assert not reads(rules("'*'", f"accessControl: [{{role: dana, deny: [{deny}]}}]"))


def test_a_condition_never_opens_it() -> None:
    more = "accessControl: [{role: dana, allow: ['torhaus:audit:read'], when: \"tool == 'x'\"}]"

    assert not reads(rules("github:read", more))


def test_it_ends_with_the_access() -> None:
    found = rules("torhaus:audit:read")
    principal = next(iter(found.principals.values()))
    ended = type(principal)(
        id=principal.id, email=principal.email, phases=principal.phases, expires=NOW
    )

    assert may_audit(ended, NOW - 1) is None
    assert may_audit(ended, NOW) == "your access has ended"


def test_nobody_in_particular_never_reads_it() -> None:
    principal = next(iter(rules("torhaus:audit:read").principals.values()))
    stranger = type(principal)(id="anonymous", email="anonymous", phases=principal.phases)

    assert may_audit(stranger, NOW) is not None
