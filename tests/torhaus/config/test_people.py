from datetime import UTC, date, datetime

import pytest

from torhaus.config.load import Loaded, load_text
from torhaus.config.people import end_of
from torhaus.config.problems import ConfigError
from torhaus.identity.keys import digest

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

    access = rules.principals["u@x.de"].access

    names = {server: [grant.rule for grant in grants] for server, grants in access.items()}
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

    assert rules.principals["u@x.de"].access is rules.principals["v@x.de"].access


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
    assert found.rules.principals["u@x.de"].permissions("github") == ()


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2025, 12, 31), "UTC", datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2025, 12, 31), "Europe/Berlin", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (date(2025, 6, 30), "Europe/Berlin", datetime(2025, 6, 30, 22, tzinfo=UTC)),
        # Clocks skip midnight in Cairo on 28 April 2023: the day ends when they do.
        (date(2023, 4, 27), "Africa/Cairo", datetime(2023, 4, 27, 22, tzinfo=UTC)),
        (datetime.fromisoformat("2025-07-01T18:00"), "Europe/Berlin",
         datetime(2025, 7, 1, 16, tzinfo=UTC)),
        (datetime(2025, 7, 1, 18, tzinfo=UTC), "Asia/Tokyo", datetime(2025, 7, 1, 18, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_access_lasts_to_the_end_of_the_day(day: date | datetime, zone: str, end: datetime) -> None:
    assert end_of(day, zone) == end.timestamp()
