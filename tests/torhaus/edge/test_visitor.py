"""A caller, under other rules than those he came under."""

import msgspec

from tests.torhaus.cast import ALICE, BOB
from torhaus.edge.visitor import Visitor
from torhaus.identity.keys import digest
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
