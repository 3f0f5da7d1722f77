import msgspec
import pytest

from tests.torhaus.scripted import dumps
from torhaus.gate.catalogue import FRESH, MAX_TOOLS, PAUSE, Catalogue, next_cursor

READS = {"readOnlyHint": True}
PAGE = dumps({"tools": [{"name": "a", "annotations": READS, "x": 1}, {"name": "b"}]})


def test_nothing_is_known_before_the_first_list():
    catalogue = Catalogue()

    assert catalogue.hints("github", "a", 0.0) is None
    assert "a" not in catalogue.tools("github")


def test_the_annotations_of_a_listed_tool_are_known_for_a_while():
    catalogue = Catalogue()
    catalogue.learn("github", [PAGE, dumps({"tools": [{"name": "c"}]})], 0.0)

    assert catalogue.hints("github", "a", FRESH - 1) == READS
    assert catalogue.hints("github", "b", 0.0) == {}
    assert catalogue.hints("github", "unlisted", 0.0) == {}
    assert catalogue.hints("github", "a", FRESH) is None
    assert catalogue.hints("sentry", "a", 0.0) is None
    assert all(tool in catalogue.tools("github") for tool in "abc")


def test_a_new_list_replaces_the_old_one():
    catalogue = Catalogue()
    catalogue.learn("github", [PAGE], 0.0)
    catalogue.learn("github", [dumps({"tools": []})], 0.0)

    assert catalogue.hints("github", "a", 0.0) == {}
    assert "a" not in catalogue.tools("github")


def test_an_announced_change_makes_it_unknown_at_once():
    catalogue = Catalogue()
    catalogue.learn("github", [PAGE], 0.0)

    catalogue.forget("github")
    catalogue.forget("never heard of")

    assert catalogue.hints("github", "a", 0.0) is None
    assert "a" in catalogue.tools("github")


def test_a_list_that_could_not_be_had_leaves_what_was_known_for_a_short_while():
    catalogue = Catalogue()
    catalogue.learn("github", [PAGE], 0.0)
    catalogue.forget("github")

    catalogue.missed("github", 0.0)
    catalogue.missed("sentry", 0.0)

    assert catalogue.hints("github", "a", PAUSE - 1) == READS
    assert catalogue.hints("github", "a", PAUSE) is None
    assert catalogue.hints("sentry", "a", 0.0) == {}


def test_a_page_of_absurd_length_is_cut():
    catalogue = Catalogue()
    catalogue.learn(
        "github", [dumps({"tools": [{"name": str(n)} for n in range(MAX_TOOLS + 9)]})], 0.0
    )

    assert str(MAX_TOOLS - 1) in catalogue.tools("github")
    assert str(MAX_TOOLS) not in catalogue.tools("github")


@pytest.mark.parametrize(
    ("page", "cursor"), [({}, None), ({"nextCursor": ""}, ""), ({"nextCursor": "2"}, "2")]
)
def test_the_next_cursor_is_read(page: dict[str, str], cursor: str | None):
    assert next_cursor(dumps({"tools": [], **page})) == cursor


@pytest.mark.parametrize("page", [b"[]", b"{}", b'{"tools":[{}]}', b'{"tools":[],"nextCursor":7}'])
def test_what_is_no_list_is_not_learned(page: bytes):
    catalogue = Catalogue()

    with pytest.raises(msgspec.MsgspecError):
        catalogue.learn("github", [PAGE, page], 0.0)

    assert catalogue.hints("github", "a", 0.0) is None
