import pytest

from tests.torhaus.config.deciding import loaded
from torhaus.config.problems import ConfigError
from torhaus.identity.keys import digest

KEY = "0123456789abcdef"


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
    assert (problem.line, problem.path) == (7, "users[1].api_keys[0]")
    assert "on line 6 already" in problem.message
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


def test_a_key_has_a_number_among_those_of_its_owner() -> None:
    text = "roles: {a: {}}\nusers:\n"
    text += f"  - {{email: u@x.de, role: a, api_keys: ['{KEY}1', '{KEY}2']}}\n"
    text += f"  - {{email: v@x.de, role: a, api_keys: ['{KEY}3']}}\n"

    found = loaded(text).rules.key_numbers

    assert found == {digest(KEY + "1"): 1, digest(KEY + "2"): 2, digest(KEY + "3"): 1}
