import pytest

from tests.torhaus.redact.samples import GITHUB
from torhaus.redact.detector import Level
from torhaus.redact.text import UncheckableError, detectors
from torhaus.redact.walk import MAX_LEVELS, Walk, kind_of

BOTH = detectors(Level)


def test_names_of_personal_data_tell_only_where_personal_data_is_looked_for() -> None:
    assert kind_of("phone", BOTH) == "phone"
    assert kind_of("phone", detectors([Level.SECRETS])) is None
    assert kind_of("password", detectors([Level.SECRETS])) == "password"


def test_a_walk_counts_what_it_masks() -> None:
    walk = Walk(BOTH, BOTH)

    text = walk.document('{"password":"x","a":"' + GITHUB + '","b":[]}')

    assert text == '{"password":"[redacted:password]","a":"[redacted:github-token]","b":[]}'
    assert walk.counts == {"password": 1, "github-token": 1}


def test_a_document_that_stays_is_the_very_same() -> None:
    text = '{"a":[1,true,null,"b"]}'

    assert Walk(BOTH, BOTH).document(text) is text


def test_json_in_strings_too_many_times_over_is_not_read() -> None:
    with pytest.raises(UncheckableError):
        Walk(BOTH, BOTH).document("[]", MAX_LEVELS + 1)
