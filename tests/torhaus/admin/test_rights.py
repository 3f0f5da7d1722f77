import re

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, ROLES, access, permission, rules
from tests.torhaus.cast import NOW
from torhaus.admin.rights import may_govern, may_grant, servers
from torhaus.model.access import Access, Bound, Effect, Glob, Origin, Policy, TagDeny
from torhaus.model.networks import Network
from torhaus.model.people import Phase, Principal


class When:
    """A condition that is never asked here."""

    def __init__(self, text: str) -> None:
        self.text = text

    def holds(self, facts: object) -> bool:
        raise AssertionError


def somebody(held: Access) -> Principal:
    """With exactly this on github."""
    phases = (Phase(access={"github": held}),)
    return Principal(id="x@example.org", email="x@example.org", phases=phases)


def why(who: Principal, given: Access) -> str | None:
    roles = {"role": {"github": given, "*": Access()}}
    return may_grant(who, "role", rules(who, roles=("role",), role_access=roles), NOW)


ALL = permission("github:*:*")
BOUND = Bound(kind="repos", rule="r", allow=(Glob("myorg/*", re.compile("x")),))
PLAIN = Access(allows=(ALL,))

RESTRICTED = {
    "a bound": {"bounds": (BOUND,)},
    "a deny": {"denies": (permission("github:*:delete"),)},
    "a tag": {"tags": (TagDeny(frozenset({"sensitive"}), "no_sensitive_data"),)},
    "an origin": {"origins": (Origin(rule="o", networks=()),)},
    "a client": {"origins": (Origin(rule="o", clients=frozenset({"cursor"})),)},
    "a policy that refuses": {"policies": (Policy(name="p", effect=Effect.DENY),)},
    "a policy that asks": {"policies": (Policy(name="p", effect=Effect.REQUIRE_APPROVAL),)},
    "a policy that asks for deletions": {
        "policies": (
            Policy(
                name="p", effect=Effect.REQUIRE_APPROVAL, actions=frozenset({"write", "delete"})
            ),
        )
    },
    "a policy that masks": {"policies": (Policy(name="p", effect=Effect.REDACT),)},
    "masking": {"redact": "no_sensitive_data"},
}


@pytest.mark.parametrize("changes", RESTRICTED.values(), ids=RESTRICTED)
def test_whoever_is_restricted_gives_no_role_that_is_not(changes: dict[str, object]) -> None:
    strict = msgspec.structs.replace(PLAIN, **changes)

    assert why(somebody(strict), PLAIN) == (
        "you are restricted on github in a way that role is not"
    )
    assert why(somebody(strict), strict) is None
    assert why(somebody(PLAIN), strict) is None


def test_a_policy_about_what_the_role_does_not_do_holds_nobody_back() -> None:
    deletions = Policy(
        name="p", effect=Effect.REQUIRE_APPROVAL, actions=frozenset({"delete", "admin"})
    )
    watched = Policy(name="w", effect=Effect.LOG_ONLY)
    lead = somebody(msgspec.structs.replace(PLAIN, policies=(deletions, watched)))

    assert why(lead, Access(allows=(permission("github:*:read"),))) is None
    assert why(lead, Access(allows=(permission("github:issues:delete"),))) is not None


def test_restrictions_where_the_role_opens_nothing_hold_nobody_back() -> None:
    strict = msgspec.structs.replace(PLAIN, bounds=(BOUND,))
    phases = (Phase(access={"github": PLAIN, "jira": strict}),)
    lead = msgspec.structs.replace(somebody(PLAIN), phases=phases)
    roles = {"role": {"github": PLAIN, "jira": Access(), "*": Access()}}
    held = rules(lead, roles=("role",), role_access=roles)

    assert may_grant(lead, "role", held, NOW) is None


def test_a_permission_under_a_condition_gives_none_without() -> None:
    conditional = permission("github:*:write")
    conditional = msgspec.structs.replace(conditional, when=When("true"))
    admin = permission("github:*:admin")
    given = Access(allows=(permission("github:issues:write"),))
    same = Access(allows=(msgspec.structs.replace(given.allows[0], when=When("true")),))
    holder = somebody(Access(allows=(admin, conditional)))

    assert why(holder, given) == ("role allows github:issues:write, which you do not hold yourself")
    assert why(holder, same) is None


def test_admin_under_a_condition_governs_nothing() -> None:
    conditional = msgspec.structs.replace(ALL, when=When("true"))

    assert why(somebody(Access(allows=(conditional,))), PLAIN) == (
        "this needs admin permission on github"
    )


def test_a_role_that_is_gone_is_nobodys_to_give() -> None:
    assert may_govern(DANA, "gone", rules(), NOW) == "there is no role 'gone' any more"


def test_access_that_has_ended_governs_nothing() -> None:
    gone = msgspec.structs.replace(DANA, expires=NOW)

    assert may_govern(gone, "tech_lead", rules(), NOW) == "your access has ended"
    assert may_govern(gone, "tech_lead", rules(), NOW - 1) is None


def test_rights_are_those_of_the_moment() -> None:
    later = Phase(begins=NOW + 10, roles=("admin",), access=ROLES["admin"])
    first = Phase(ends=NOW + 10, roles=("developer",), access=ROLES["developer"])
    soon = msgspec.structs.replace(ALICE, phases=(first, later))

    assert may_grant(soon, "tech_lead", rules(), NOW) is not None
    assert may_grant(soon, "tech_lead", rules(), NOW + 10) is None
    assert may_grant(BOB, "tech_lead", rules(), NOW) is None


@pytest.mark.parametrize(
    ("role", "opened"),
    [
        (access("github:*:read"), ("github",)),
        (access("github:*:read", "jira:*:read"), ("github", "jira")),
        (access("*:*:read"), ("*",)),
        (access(), ("*",)),
    ],
)
def test_a_role_opens_the_servers_it_names(
    role: dict[str, Access], opened: tuple[str, ...]
) -> None:
    assert servers(role) == opened


def test_networks_are_compared_as_they_are() -> None:
    home: tuple[Network, ...] = ()
    one = msgspec.structs.replace(PLAIN, origins=(Origin(rule="a", networks=home),))
    other = msgspec.structs.replace(PLAIN, origins=(Origin(rule="b", networks=home),))

    assert why(somebody(one), other) is None
