import pytest

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.identity.keys import digest
from torhaus.model.access import NO_ACCESS

SERVERS = "mcpServers: {github: {url: 'https://g.de'}, sentry: {url: 'https://s.de'}}\n"
KEY = "0123456789abcdef"


def loaded(text: str) -> Loaded:
    return load_text(SERVERS + text, "t.yml", {})


def test_permissions_of_several_roles_add_up_in_order() -> None:
    rules = loaded(
        "roles: {a: {permissions: [github:read]}, b: {permissions: ['*:write', github.read]}}\n"
        "accessControl: [{role: a, allow: [sentry.read]}]\n"
        "users: [{email: u@x.de, roles: [a, b]}]"
    ).rules

    (phase,) = rules.principals["u@x.de"].phases

    names = {name: [grant.rule for grant in one.allows] for name, one in phase.access.items()}
    assert names == {
        "github": ["a: github:read", "b: *:write"],
        "sentry": ["a: sentry.read", "b: *:write"],
        "*": ["b: *:write"],
    }


def test_callers_with_the_same_roles_share_their_access() -> None:
    rules = loaded(
        "roles: {a: {permissions: [github:read]}}\n"
        "users: [{email: u@x.de, role: a}, {email: v@x.de, roles: [a]}]"
    ).rules

    (one,), (other,) = (rules.principals[name].phases for name in ("u@x.de", "v@x.de"))
    assert one.access is other.access


def test_a_key_is_kept_as_its_digest_only() -> None:
    rules = loaded(
        f"roles: {{a: {{}}}}\nusers: [{{email: u@x.de, role: a, api_keys: [{KEY}x]}}]"
    ).rules

    assert list(rules.keys) == [digest(KEY + "x")]
    assert rules.keys[digest(KEY + "x")] is rules.principals["u@x.de"]
    assert KEY not in repr(rules)


def test_a_key_belongs_to_one_user_only() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(
            "roles: {a: {}}\nusers:\n"
            f"  - {{email: u@x.de, role: a, api_keys: ['{KEY}']}}\n"
            f"  - {{email: v@x.de, role: a, api_keys: ['{KEY}']}}\n"
        )

    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (5, "users[1].api_keys[0]")
    assert "on line 4 already" in problem.message
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "line\\nbreak", "schl\u00fcssel", "x" * 513])
def test_a_key_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="printable ASCII") as caught:
        loaded(f'roles: {{a: {{}}}}\nusers: [{{email: u@x.de, role: a, api_keys: ["{key}"]}}]')
    assert key not in str(caught.value)


def test_a_short_key_works_with_a_warning() -> None:
    found = loaded("roles: {a: {}}\nusers: [{email: u@x.de, role: a, api_keys: [short]}]")

    assert digest("short") in found.rules.keys
    assert ["shorter than 16" in warning.message for warning in found.warnings] == [True]


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
    assert (warning.line, warning.path) == (2, "accessControl[0].allow[0]")
    assert warning.fix == "did you mean github?"
    assert found.rules.principals["u@x.de"].phase(0).on("github") == NO_ACCESS
