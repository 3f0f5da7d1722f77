import msgspec
import pytest

from torhaus.gate.pinned import MAX_PINS, Pins
from torhaus.model.pins import Definition, News, Standing, What
from torhaus.model.servers import HttpAddress, Server
from torhaus.policy.pins import accepted, definition

NOTES = Server(name="notes", address=HttpAddress(url="http://127.0.0.1:9000/mcp"))
STRICT = msgspec.structs.replace(NOTES, drift_new="quarantine")
LAX = msgspec.structs.replace(NOTES, drift_new="accept", drift_changed="accept")


def tools(*names: str, text: str = "") -> dict[str, Definition]:
    return {name: definition({"name": name, "description": text}) for name in names}


def pinned(*names: str) -> tuple[Pins, list[News]]:
    told: list[News] = []
    pins = Pins(tell=told.append)
    pins.looked(NOTES, tools(*names), 1.0, whole=True)
    pins.saved(list(pins.unsaved.values()))
    told.clear()
    return pins, told


def standing(pins: Pins) -> dict[str, Standing]:
    return {name: pin.standing for name, pin in pins.of("notes").items()}


def test_the_first_whole_list_is_pinned_and_told_once():
    told: list[News] = []
    pins = Pins(tell=told.append)

    assert pins.looked(NOTES, tools("a", "b"), 1.0, whole=True)

    assert standing(pins) == {"a": Standing.ACCEPTED, "b": Standing.ACCEPTED}
    assert [(each.what, len(each.pins), each.at) for each in told] == [(What.PINNED, 2, 1.0)]
    assert set(pins.unsaved) == {("notes", "a"), ("notes", "b")}
    assert not pins.looked(NOTES, tools("a", "b"), 2.0, whole=True)
    assert len(told) == 1


@pytest.mark.parametrize(("found", "whole"), [(tools("a"), False), (tools(), True)])
def test_a_part_or_nothing_is_no_first_list(found: dict[str, Definition], whole: bool):
    pins = Pins()

    assert not pins.looked(NOTES, found, 1.0, whole=whole)
    assert pins.looked(NOTES, tools("a", text="other"), 2.0, whole=True)

    assert standing(pins) == {"a": Standing.ACCEPTED}


def test_a_changed_tool_is_told_once():
    pins, told = pinned("a", "b")
    changed = {**tools("a", text="evil"), **tools("b")}

    assert pins.looked(NOTES, changed, 2.0, whole=True)
    pins.looked(NOTES, changed, 3.0, whole=True)
    pins.looked(NOTES, tools("a", "b"), 4.0, whole=True)
    pins.looked(NOTES, changed, 5.0, whole=True)

    assert standing(pins) == {"a": Standing.CHANGED, "b": Standing.ACCEPTED}
    assert [(each.what, each.pins[0].name, each.refused) for each in told] == [
        (What.CHANGED, "a", True)
    ]


@pytest.mark.parametrize(("server", "refused"), [(NOTES, False), (STRICT, True)])
def test_a_new_tool_is_told_with_what_follows(server: Server, refused: bool):
    pins, told = pinned("a")

    pins.looked(server, tools("a", "b"), 2.0, whole=False)

    assert standing(pins)["b"] is Standing.NEW
    assert [(each.what, each.refused) for each in told] == [(What.NEW, refused)]
    assert pins.of("notes")["b"].told == tools("b")["b"].digest


def test_a_server_that_is_trusted_with_everything_is_followed():
    pins, told = pinned("a")

    pins.looked(LAX, {**tools("a", text="new"), **tools("b")}, 2.0, whole=True)

    assert set(standing(pins).values()) == {Standing.ACCEPTED}
    assert [each.what for each in told] == [What.FOLLOWED, What.FOLLOWED]


def test_only_a_whole_list_says_what_is_gone():
    pins, told = pinned("a", "b")

    assert not pins.looked(NOTES, tools("a"), 2.0, whole=False)
    assert pins.looked(NOTES, tools("a"), 3.0, whole=True)

    assert standing(pins) == {"a": Standing.ACCEPTED, "b": Standing.GONE}
    assert pins.of("notes")["b"].gone == 3.0
    assert told == []


def test_a_tool_that_comes_back_as_it_was_is_fine():
    pins, told = pinned("a", "b")
    pins.looked(NOTES, tools("a"), 2.0, whole=True)

    pins.looked(NOTES, tools("a", "b"), 3.0, whole=False)

    assert standing(pins)["b"] is Standing.ACCEPTED
    assert told == []


def test_a_server_cannot_fill_the_memory_with_names():
    pins, _ = pinned(*(str(n) for n in range(MAX_PINS)))

    assert not pins.looked(NOTES, tools("one more"), 2.0, whole=False)

    assert "one more" not in pins.of("notes")


def test_what_changes_while_it_is_saved_is_still_to_be_saved():
    pins, _ = pinned("a")
    pins.looked(NOTES, tools("a", text="new"), 2.0, whole=True)
    saving = list(pins.unsaved.values())
    pins.looked(NOTES, tools("a", text="newer"), 3.0, whole=True)

    pins.saved(saving)

    assert [pin.offered for pin in pins.unsaved.values()] == [tools("a", text="newer")["a"]]
    pins.saved(list(pins.unsaved.values()))
    assert pins.unsaved == {}


def test_a_decision_is_taken_over_and_is_not_undone_by_what_is_unsaved():
    pins, _ = pinned("a")
    pins.looked(NOTES, tools("a", text="new"), 2.0, whole=True)
    waiting = pins.of("notes")["a"]
    done = accepted(waiting, tools("a", text="new")["a"], "dana", 3.0)

    assert pins.decided(done)
    assert not pins.decided(done)

    assert standing(pins) == {"a": Standing.ACCEPTED}
    assert pins.unsaved["notes", "a"].accepted == done.accepted


def test_a_pin_of_the_database_is_known_from_then_on():
    known, _ = pinned("a")
    pins = Pins()

    assert pins.decided(known.of("notes")["a"])

    assert pins.unsaved == {}
    pins.looked(NOTES, tools("a", text="new"), 2.0, whole=True)
    assert standing(pins) == {"a": Standing.CHANGED}
    assert standing(Pins(known.of("notes").values())) == {"a": Standing.ACCEPTED}
