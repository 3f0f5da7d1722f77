from datetime import UTC, datetime

from tests.torhaus.store.state.people import credential, family, person, stop
from tests.torhaus.store.state.requests import NOW
from torhaus.admin.people.books import Listed
from torhaus.api.person_shapes import KeyMade, KeyOut, PersonOut, SessionOut, StopOut, instant
from torhaus.model.credentials import Kept


def test_what_goes_out_is_the_thing_in_json() -> None:
    assert PersonOut.of(Listed(person=person(), keys=2)).file_keys == 2
    assert KeyOut.of(Kept(credential=credential(), used=NOW)).scopes == ["github:read"]
    assert KeyMade.of(credential(), "thk_x").key == "thk_x"
    assert SessionOut.of(family()).label == "Firefox"
    assert StopOut.of(stop(), NOW).in_force
    assert not StopOut.of(stop(), NOW + 3600).in_force


def test_instants_are_unix_seconds() -> None:
    assert instant(None) is None
    assert instant(datetime(1970, 1, 1, 0, 1, tzinfo=UTC)) == 60.0
