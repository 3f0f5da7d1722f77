import msgspec
import pytest

from torhaus.model.pins import Definition, Drift, Pin
from torhaus.model.servers import HttpAddress, Server
from torhaus.policy.inventory import pinned, unpinned
from torhaus.policy.pins import begun, definition, looked, missed, rejected

NOTES = Server(name="notes", address=HttpAddress(url="http://127.0.0.1:9000/mcp"))
OLD = definition({"name": "get_note", "annotations": {"readOnlyHint": False}})
NEW = definition({"name": "get_note", "description": "<important>x"})
FIRST = begun("notes", "get_note", OLD, 1.0)
CHANGED = looked(FIRST, "notes", "get_note", NEW, Drift.WARN, 2.0)


def test_an_accepted_tool_is_judged_by_what_is_accepted():
    found = pinned(NOTES, FIRST)

    assert (found.standing, found.deny, found.findings) == ("accepted", None, ())
    assert found.judged.actions == ("write",)


def test_a_changed_tool_is_judged_by_what_is_offered():
    found = pinned(NOTES, CHANGED)

    assert found.standing == "changed"
    assert found.deny is not None
    assert found.judged.actions == ("read",)
    assert [each.code for each in found.findings] == ["phrase"]


@pytest.mark.parametrize(
    ("pin", "standing"),
    [(missed(FIRST, 3.0), "gone"), (rejected(CHANGED), "rejected")],
)
def test_every_standing_has_its_word(pin: object, standing: str):
    assert pinned(NOTES, pin).standing == standing  # type: ignore[arg-type]


def test_what_is_gone_needs_no_refusal_and_a_new_tool_may():
    careful = msgspec.structs.replace(NOTES, drift_new="quarantine")
    new = looked(None, "notes", "get_note", OLD, Drift.QUARANTINE, 2.0)

    assert pinned(NOTES, missed(CHANGED, 3.0)).deny is None
    assert pinned(careful, new).deny is not None
    assert pinned(careful, new).standing == "new"


def test_a_tool_without_a_pin_is_listed_or_withheld():
    assert unpinned(NOTES, "get_note", {}).judged.actions == ("read",)
    assert unpinned(NOTES, "get_note", {}).standing == "listed"
    assert unpinned(NOTES, "get_note", {}, "it hides something").standing == "withheld"


def test_a_tool_of_which_nothing_is_known_is_judged_by_its_name():
    assert pinned(NOTES, Pin(server="notes", name="get_note", first_seen=1.0)).judged.actions == (
        "read",
    )


@pytest.mark.parametrize("text", [b"[]", b'{"annotations":7}', b"{}"])
def test_a_strange_definition_is_judged_all_the_same(text: bytes):
    strange = begun("notes", "frobnicate", Definition("0", text), 1.0)

    assert pinned(NOTES, strange).judged.source == "unknown"
