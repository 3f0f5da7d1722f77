"""Files made to take for ever, or to be more than memory holds."""

import time

import pytest

from tests.torhaus.config.deciding import SERVERS
from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.tree import MANY

DEV = "roles: {dev: {permissions: ['*']}}\nusers: [{email: a@x.de, role: dev}]\n"


def lines(count: int, line: str) -> str:
    return "".join(line.format(n=n) + "\n" for n in range(count))


MISTAKES = {
    "words": "github:\n  dev:\n    allow:\n" + lines(5000, "      - read:thing{n}"),
    "restrictions": "roles:\n  dev:\n    restrictions:\n" + lines(5000, "      - no_thing{n}"),
    "roles": "policies:\n"
    + lines(2000, "- {{name: p{n}, action: deny, applies_to: {{role: r{n}}}}}"),
    "addresses": "github:\n" + lines(3000, "  u{n}@x.de: {{deny: [write]}}"),
    "strangers": "github:\n" + lines(3000, "  nobody-{n}: {{deny: [write]}}"),
    "keys": "github:\n  dev:\n" + lines(8000, "    key{n}: 1"),
    "variables": "github:\n  dev:\n    allow:\n" + lines(5000, "      - '${{V{n}}}'"),
    "approvers": "policies: [{name: x, action: require_approval, approvers: ["
    + ", ".join(f"a{n}" for n in range(8000))
    + "]}]",
}


@pytest.mark.parametrize("what", MISTAKES)
def test_thousands_of_mistakes_are_told_in_time_and_not_all(what: str) -> None:
    text = MISTAKES[what]
    start = time.process_time()

    with pytest.raises(ConfigError) as caught:
        load_text(SERVERS + (text if text.startswith("roles") else DEV + text), "t.yml", {})

    assert len(caught.value.problems) <= MANY
    assert time.process_time() - start < 8


SENSELESS = {
    "unknown servers": "accessControl:\n" + lines(3000, "- {{role: dev, allow: [server{n}.read]}}"),
    "globs": "github:\n  dev:\n    projects:\n      deny:\n" + lines(3000, "      - '*a{n}*b*'"),
    "policies": "policies:\n"
    + lines(2000, "- {{name: p{n}, action: deny, applies_to: {{tools: '*a{n}*b*c*'}}}}"),
    "conditions": "policies:\n"
    + lines(2000, "- {{name: p{n}, action: deny, when: 'hour == {n}'}}"),
    "targets": "policies: [{name: x, action: deny, applies_to: ["
    + ", ".join(["{role: dev}"] * 4000)
    + "]}]",
    "groups": "groups:\n" + lines(3000, "  g{n}: [a@x.de]"),
    "permissions": "github:\n  dev:\n    allow:\n"
    + lines(4000, "      - write:issues")
    + "    deny:\n"
    + lines(4000, "      - write:issues"),
}


@pytest.mark.parametrize("what", SENSELESS)
def test_thousands_of_rules_are_read_in_time(what: str) -> None:
    start = time.process_time()

    found = load_text(SERVERS + DEV + SENSELESS[what], "t.yml", {})

    assert len(found.warnings) <= MANY + 1
    assert time.process_time() - start < 8


def test_roles_and_policies_that_multiply_beyond_memory_are_refused() -> None:
    roles = "roles:\n" + lines(300, "  r{n}: {{permissions: [github:read]}}")
    users = "users:\n" + lines(300, "- {{email: u{n}@x.de, role: r{n}}}")
    policies = "policies:\n" + lines(1500, "- {{name: p{n}, action: deny}}")

    with pytest.raises(ConfigError, match="multiply to too many"):
        load_text(SERVERS + roles + users + policies, "t.yml", {})


@pytest.mark.parametrize(
    "text",
    [
        "github: {dev: {repos: ['" + "a*" * 100_000 + "']}}",
        "github: {dev: {repos: " + "[" * 31 + "]" * 31 + "}}",
        "github: {dev: {when: '" + "true && " * 50_000 + "true'}}",
        "github: {dev: {when: '" + "(" * 400 + "true" + ")" * 400 + "'}}",
        "github: {'" + "a" * 100_000 + "': {allow: [read]}}",
        "policies: [{name: x, action: deny, time: {hours: '" + "0" * 100_000 + "'}}]",
        "data_classes: {patterns: {x: '" + "(" * 100_000 + "'}}",
    ],
)
def test_a_monstrous_value_is_refused_in_time(text: str) -> None:
    start = time.process_time()

    with pytest.raises(ConfigError) as caught:
        load_text(SERVERS + DEV + text, "t.yml", {})

    assert time.process_time() - start < 4
    assert len(str(caught.value)) < 5000
