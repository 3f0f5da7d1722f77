import pytest

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.identity.keys import digest
from torhaus.model.providers import Gains

PEOPLE = """
users: [{email: alice@example.com, role: dev, api_keys: [alice-key-0123456789abcdef]}]
roles: {dev: {}, lead: {}}
groups: {builders: [alice@example.com]}
mcpServers: {a: {url: 'https://a.example'}}
"""
ONE, TWO = "a" * 32, "b" * 32


def loaded(sources: str) -> Loaded:
    return load_text(f"{PEOPLE}auth: {{scim: [{sources}]}}", "t.yml", {})


def problem(sources: str) -> str:
    with pytest.raises(ConfigError) as error:
        loaded(sources)
    return error.value.problems[0].message


def test_a_source_is_known_by_the_digests_of_its_tokens() -> None:
    groups = "{Devs: {roles: [dev], groups: [builders]}, Leads: lead}"
    found = loaded(f"{{name: okta, token: {ONE}, old_token: {TWO}, groups: {groups}}}")

    [source] = found.rules.scim
    assert (source.name, source.owner, source.rate) == ("okta", "scim:okta", 1500)
    assert source.digests == (digest(ONE), digest(TWO))
    assert source.terms.groups["Devs"] == Gains(roles=("dev",), groups=("builders",))
    assert ONE not in repr(found.rules)


def test_mistakes_are_told_with_their_place() -> None:
    assert "no such role" in problem(f"{{name: o, token: {ONE}, groups: {{a: nobody}}}}")
    assert "no such group" in problem(f"{{name: o, token: {ONE}, groups: {{a: {{groups: [x]}}}}}}")
    two = "{name: o, token: %s, default_role: dev}"
    assert "name" in problem(f"{two % ONE}, {two % TWO}")
    again = "{name: p, token: %s, default_role: dev}"
    assert "this token too" in problem(f"{two % ONE}, {again % ONE}")
    assert "token" in problem("{name: o}")
    assert "spaces" in problem("{name: o, token: 'a b', default_role: dev}")


def test_doubts_are_told() -> None:
    short = loaded("{name: o, token: short, default_role: dev}")
    assert "can be guessed" in short.warnings[0].message
    nothing = loaded(f"{{name: o, token: {ONE}}}")
    assert "no role" in nothing.warnings[0].message
