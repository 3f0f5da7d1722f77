import pytest

from tests.torhaus.config.deciding import loaded
from torhaus.config import accesses
from torhaus.config.accesses import Accesses
from torhaus.config.problems import FaultError
from torhaus.config.rulings import Ruling, Rulings
from torhaus.model.access import Access, Permission

TWO = (
    "roles: {a: {permissions: [github:read]}}\n"
    "users: [{email: u@x.de, role: a}, {email: v@x.de, role: a}]\n"
)


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


def on(text: str, who: str, server: str = "github") -> Access:
    return loaded(TWO + text).rules.principals[who].phase(0).on(server)


def test_a_block_of_one_user_changes_one_server_and_shares_the_others() -> None:
    rules = loaded(TWO + "github: {u@x.de: {deny: [write]}}").rules

    one, other = (rules.principals[name].phase(0) for name in ("u@x.de", "v@x.de"))
    assert one.on("github") != other.on("github")
    assert one.on("sentry") is other.on("sentry")
    assert one.on("*") is other.on("*")


@pytest.mark.parametrize(
    ("text", "arguments", "moment"),
    [
        ("", False, False),
        ("github: {a: {deny: [write]}}", False, False),
        ("github: {a: {repos: [a/b]}}", True, False),
        ("github: {a: {repos: ['*']}}", False, False),
        ("github: {a: {networks: [loopback]}}", False, True),
        ("github: {a: {clients: [x]}}", False, True),
        ("github: {a: {allow: [write], when: 'true'}}", True, True),
        ("policies: [{name: x, action: deny, when: 'true'}]", True, True),
        ("policies: [{name: x, action: deny, time: {weekdays: true}}]", False, True),
        ("policies: [{name: x, action: deny, networks: [loopback]}]", False, True),
        ("policies: [{name: x, action: deny, clients: [x]}]", False, True),
        ("policies: [{name: x, action: deny, applies_to: {tools: [get_me]}}]", False, False),
        ("policies: [{name: x, action: redact}]", False, False),
    ],
)
def test_access_says_what_its_verdicts_depend_on(text: str, arguments: bool, moment: bool) -> None:
    access = on(text, "u@x.de")

    assert (access.arguments, access.moment) == (arguments, moment)
    if "github:" not in text:
        return
    other = on(text, "u@x.de", "sentry")
    assert (other.arguments, other.moment) == (False, False)


def test_a_policy_that_masks_everything_needs_no_asking() -> None:
    access = on("policies: [{name: hide, action: redact}]", "u@x.de")

    assert (access.redact, access.policies) == ("hide", ())


def test_the_same_permission_under_two_conditions_is_two() -> None:
    access = on(
        "accessControl:\n"
        "  - {role: a, allow: [github:write], when: 'tool == \"x\"'}\n"
        "  - {role: a, allow: [github:write], when: 'tool == \"y\"'}\n"
        "  - {role: a, allow: [github.read]}\n",
        "u@x.de",
    )

    assert [(each.action, each.when is None) for each in access.allows] == [
        ("read", True),
        ("write", False),
        ("write", False),
    ]


def test_rules_that_multiply_without_end_are_refused() -> None:
    many = tuple(Permission("*", f"t{at}", "read", "r") for at in range(1000))
    rulings = Rulings(roles={"r": [Ruling(allows=many, denies=many)]})
    putting = Accesses((), rulings, ())

    for at in range(accesses.MAX_PARTS // 2001):
        putting.of(("r",), (f"g{at}",), "")
    with pytest.raises(FaultError, match="too many"):
        putting.of(("r",), ("one more",), "")
