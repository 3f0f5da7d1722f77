"""A caller, under other rules than those he came under."""

from math import inf
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB
from torhaus.edge.visitor import Visitor
from torhaus.identity.keys import digest
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.live import Lease, NobodyElse
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules

KEY = b"alice-key"
DIGEST = digest("alice-key")


def test_a_visitor_is_known_while_his_key_is_his() -> None:
    fresh = msgspec.structs.replace(ALICE)
    visitor = Visitor(ALICE, KEY)

    assert visitor.renewed(Rules(version="1", keys={DIGEST: fresh})) is fresh
    assert visitor.renewed(Rules(version="1")) is None
    assert visitor.renewed(Rules(version="1", keys={DIGEST: BOB})) is None


def test_who_has_no_key_is_known_by_his_id() -> None:
    visitor = Visitor(ALICE, None)

    assert visitor.renewed(Rules(version="1", principals={ALICE.id: ALICE})) is ALICE
    assert visitor.renewed(Rules(version="1", keys={DIGEST: ALICE})) is None


class Scoped(NobodyElse):
    """Everybody acts as Bob."""

    def acting(self, principal: Principal, credential: Credential) -> Principal:
        return BOB


TOKEN = Credential(digest=b"", id="t1", kind=CredentialKind.ACCESS, email=ALICE.email)


def test_a_token_is_its_owners_under_other_rules_too() -> None:
    fresh = msgspec.structs.replace(ALICE)
    rules = Rules(version="1", principals={ALICE.id: fresh})

    assert Visitor(ALICE, KEY, Lease(), TOKEN, NobodyElse()).renewed(rules) is fresh
    assert Visitor(ALICE, KEY, Lease(), TOKEN, Scoped()).renewed(rules) is BOB
    assert Visitor(ALICE, KEY, Lease(), TOKEN, NobodyElse()).renewed(Rules(version="1")) is None


def test_who_came_with_what_was_taken_away_is_nobody() -> None:
    lease = Lease()
    visitor = Visitor(ALICE, KEY, lease)
    rules = Rules(version="1", keys={DIGEST: ALICE})
    assert visitor.renewed(rules) is ALICE

    lease.end()

    assert visitor.renewed(rules) is None
    assert visitor.over(0.0)


def test_a_token_that_is_over_lets_nobody_else_in() -> None:
    visitor = Visitor(ALICE, KEY, Lease(10.0))

    assert not visitor.over(9.9)
    assert visitor.over(10.0)


def test_a_token_of_a_database_that_is_silent_is_over_and_a_key_of_the_file_is_not() -> None:
    silent = NobodyElse()
    silent.until = 10.0

    assert not Visitor(ALICE, KEY, Lease(), TOKEN, silent).over(9.9)
    assert Visitor(ALICE, KEY, Lease(), TOKEN, silent).over(10.0)
    assert not Visitor(ALICE, KEY, Lease(), None, silent).over(10.0)


@pytest.mark.parametrize(
    ("now", "changes", "until"),
    [
        (5.0, {}, inf),
        (5.0, {"lease": Lease(9.0)}, 9.0),
        (9.0, {"lease": Lease(9.0)}, inf),
        (5.0, {"expires": 8.0, "lease": Lease(9.0)}, 8.0),
        (5.0, {"phases": (Phase(ends=4.0), Phase(ends=7.0), Phase())}, 7.0),
        (7.0, {"phases": (Phase(ends=4.0), Phase(ends=7.0), Phase())}, inf),
    ],
)
def test_what_he_is_by_these_rules_he_is_until_then(
    now: float, changes: dict[str, Any], until: float
) -> None:
    lease = changes.pop("lease", Lease())
    known = msgspec.structs.replace(ALICE, **{"phases": (), **changes})
    rules = Rules(version="1", principals={ALICE.id: known})

    assert Visitor(ALICE, KEY, lease).until(rules, now) == until
    assert Visitor(known, KEY, lease).until(Rules(version="1"), now) == until


def test_whoever_acts_is_known_with_what_he_came_with() -> None:
    actor = Visitor(ALICE, KEY, shown="file-key:1").actor

    assert actor == msgspec.structs.replace(ALICE, shown="file-key:1")
    assert ALICE.shown == ""
