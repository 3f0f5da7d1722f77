import json
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.torhaus.scripted import dumps
from torhaus.gate.catalogue import (
    AGAIN,
    FRESH,
    MAX_PAGES,
    MAX_SAID,
    PAUSE,
    UNLISTED,
    Catalogue,
    Listed,
    next_cursor,
)
from torhaus.gate.pinned import Pins
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.verdict import Deny
from torhaus.policy.pins import accepted, rejected

READS = {"readOnlyHint": True}
ZERO = "\u200b"
GITHUB = Server(name="github", address=HttpAddress(url="http://127.0.0.1:9000/mcp"))
STRICT = msgspec.structs.replace(GITHUB, drift_new="quarantine")
OPEN = msgspec.structs.replace(GITHUB, drift_unlisted="pass")
WARN = msgspec.structs.replace(GITHUB, drift_changed="warn")


def page(*names: str, text: str = "", **more: Any) -> bytes:
    return dumps({"tools": [{"name": each, "description": text} for each in names], **more})


PAGE = dumps({"tools": [{"name": "a", "annotations": READS, "x": 1}, {"name": "b"}]})


def known(*pages: bytes, now: float = 0.0, by: str = "") -> Catalogue:
    catalogue = Catalogue()
    catalogue.learn(GITHUB, list(pages or (PAGE,)), now, by)
    return catalogue


def found(catalogue: Catalogue, tool: str, server: Server = GITHUB, now: float = 0.0) -> Listed:
    listed = catalogue.find(server, tool, now)
    assert listed is not None
    return listed


def code(catalogue: Catalogue, tool: str, server: Server = GITHUB) -> str | None:
    deny = found(catalogue, tool, server).deny
    assert deny is None or isinstance(deny, Deny)
    return None if deny is None else deny.code


def seen(
    catalogue: Catalogue, result: bytes, *, whole: bool = True, server: Server = GITHUB
) -> list[str]:
    """The names that a caller gets to see of what the server has just sent him."""
    catalogue.seen(server, result, 1.0, whole=whole, by="alice")
    return kept(catalogue, result, server=server)


def kept(catalogue: Catalogue, result: bytes, server: Server = GITHUB) -> list[str]:
    """The names that a caller gets to see of a list, however old it is."""
    shown = catalogue.shown(server, "tools/list", result)
    return [each["name"] for each in json.loads(shown)["tools"]]


# -- what is known ---------------------------------------------------------------------------------


def test_nothing_is_known_before_the_first_list():
    catalogue = Catalogue()

    assert catalogue.find(GITHUB, "a", 0.0) is None
    assert "a" not in catalogue.tools("github")
    assert catalogue.marks("github", "a") == ()
    assert catalogue.items("github") == {}


def test_the_annotations_of_a_listed_tool_are_known_for_a_while():
    catalogue = known(PAGE, page("c"))

    assert found(catalogue, "a", now=FRESH - 1).hints == READS
    assert found(catalogue, "b").hints == {}
    assert catalogue.find(GITHUB, "a", FRESH) is None
    assert catalogue.find(msgspec.structs.replace(GITHUB, name="sentry"), "a", 0.0) is None
    assert all(tool in catalogue.tools("github") for tool in "abc")


def test_an_unlisted_name_is_an_unknown_tool():
    assert found(known(), "unlisted") is UNLISTED
    assert code(known(), "unlisted") == "unknown_tool"
    assert code(known(), "A") == "unknown_tool"


def test_a_list_that_is_as_before_costs_nothing_new():
    catalogue = known()
    before = found(catalogue, "a")

    catalogue.learn(GITHUB, [bytes(bytearray(PAGE))], 5.0)

    assert found(catalogue, "a") is before
    assert catalogue.find(GITHUB, "a", FRESH + 4.0) is before


def test_a_new_list_replaces_the_old_one():
    catalogue = known()
    catalogue.learn(GITHUB, [page("b")], 0.0)

    assert code(catalogue, "a") == "unknown_tool"
    assert "a" not in catalogue.tools("github")


def test_an_announced_change_makes_it_unknown_at_once():
    catalogue = known()

    catalogue.forget("github")
    catalogue.forget("never heard of")

    assert catalogue.find(GITHUB, "a", 0.0) is None
    assert "a" in catalogue.tools("github")


def test_a_list_that_could_not_be_had_leaves_what_was_known_for_a_short_while():
    catalogue = known()
    catalogue.forget("github")

    assert catalogue.missed(GITHUB, 0.0)

    assert found(catalogue, "a", now=PAUSE - 1).hints == READS
    assert catalogue.find(GITHUB, "a", PAUSE) is None


def test_a_list_that_could_never_be_had_leaves_nothing():
    assert not Catalogue().missed(GITHUB, 0.0)


def test_after_a_restart_the_pins_stand_in_for_a_list_that_cannot_be_had():
    hidden = page("a", "b", text=f"x{ZERO}y")
    catalogue = Catalogue(Pins(known(hidden).pins.of("github").values()))

    assert catalogue.find(GITHUB, "a", 0.0) is None
    assert catalogue.missed(GITHUB, 0.0)

    assert code(catalogue, "a") is None
    assert code(catalogue, "c") == "unknown_tool"


def test_a_caller_whose_own_list_it_is_just_saw_it():
    catalogue = known(by="alice")

    assert catalogue.just_seen(GITHUB, "alice", AGAIN - 1)
    assert not catalogue.just_seen(GITHUB, "alice", AGAIN)
    assert not catalogue.just_seen(GITHUB, "bob", 0.0)
    assert not Catalogue().just_seen(GITHUB, "alice", 0.0)


@pytest.mark.parametrize(
    ("more", "cursor"), [({}, None), ({"nextCursor": ""}, ""), ({"nextCursor": "2"}, "2")]
)
def test_the_next_cursor_is_read(more: dict[str, str], cursor: str | None):
    assert next_cursor(dumps({"tools": [], **more})) == cursor


@pytest.mark.parametrize("bad", [b"[]", b"{}", b'{"tools":[{}]}', b'{"tools":[],"nextCursor":7}'])
def test_what_is_no_list_is_not_learned(bad: bytes):
    catalogue = Catalogue()

    with pytest.raises(msgspec.MsgspecError):
        catalogue.learn(GITHUB, [PAGE, bad], 0.0)

    assert catalogue.find(GITHUB, "a", 0.0) is None


def test_many_different_pages_are_not_all_remembered():
    catalogue = known()

    for number in range(5 * MAX_PAGES):
        catalogue.seen(GITHUB, page("a", text=str(number)), 1.0, whole=False, by="")

    assert len(catalogue._pages["github"]) == MAX_PAGES


# -- what changes ----------------------------------------------------------------------------------


def test_a_changed_tool_cannot_be_called_and_is_not_listed():
    catalogue = known(page("a", "b"))
    changed = dumps(
        {"tools": [{"name": "a", "description": "evil"}, json.loads(page("b"))["tools"][0]]}
    )

    assert seen(catalogue, changed) == ["b"]

    assert code(catalogue, "a") == "tool_changed"
    assert code(catalogue, "b") is None


def test_the_old_text_is_fine_again():
    catalogue = known(page("a"))
    seen(catalogue, page("a", text="evil"))

    assert seen(catalogue, page("a")) == ["a"]

    assert code(catalogue, "a") is None


def test_an_accepted_change_can_be_called_at_once():
    catalogue = known(page("a"))
    seen(catalogue, page("a", text="better"))
    waiting = catalogue.pins.of("github")["a"]
    assert waiting.offered is not None

    catalogue.decided(accepted(waiting, waiting.offered, "dana", 2.0))

    assert code(catalogue, "a") is None
    assert seen(catalogue, page("a", text="better")) == ["a"]
    assert seen(catalogue, page("a", text="evil")) == []


def test_a_rejected_tool_cannot_be_called_whatever_the_settings():
    catalogue = known(page("a"))
    seen(catalogue, page("a", text="evil"), server=WARN)
    assert code(catalogue, "a", WARN) is None

    catalogue.decided(rejected(catalogue.pins.of("github")["a"]))

    assert code(catalogue, "a", WARN) == "tool_rejected"


def test_settings_that_change_hold_for_the_next_call():
    catalogue = known(page("a"))
    seen(catalogue, page("a", "b"))

    assert code(catalogue, "b", GITHUB) is None
    assert code(catalogue, "b", STRICT) == "tool_new"
    assert code(catalogue, "b", GITHUB) is None


def test_a_changed_tool_that_may_be_called_is_judged_by_the_stricter_annotations():
    strict = {"name": "a", "annotations": {"readOnlyHint": False, "destructiveHint": True}}
    lax = {"name": "a", "annotations": {"readOnlyHint": True}}
    catalogue = known(dumps({"tools": [strict]}))

    catalogue.learn(WARN, [dumps({"tools": [lax]})], 1.0)

    assert found(catalogue, "a", WARN).hints == {"readOnlyHint": False, "destructiveHint": True}


def test_a_vanished_tool_is_unknown_at_once_and_known_again_when_it_is_back():
    catalogue = known(page("a", "b"))

    assert seen(catalogue, page("a")) == ["a"]
    assert code(catalogue, "b") == "unknown_tool"
    assert seen(catalogue, page("a", "b")) == ["a", "b"]
    assert code(catalogue, "b") is None


def test_a_vanished_tool_that_comes_back_as_another_waits():
    catalogue = known(page("a", "b"))
    seen(catalogue, page("a"))

    seen(catalogue, page("b", text="evil"), whole=False)

    assert code(catalogue, "b") == "tool_changed"


def test_one_page_of_several_is_compared_tool_by_tool():
    catalogue = known(page("a", nextCursor="2"), page("b"))

    assert seen(catalogue, page("b", "c", text="other"), whole=False) == ["c"]

    assert code(catalogue, "a") is None
    assert code(catalogue, "b") == "tool_changed"
    assert code(catalogue, "c") is None


def test_a_page_before_the_first_whole_list_pins_nothing():
    catalogue = Catalogue()

    assert seen(catalogue, page("a", nextCursor="2")) == ["a"]
    assert catalogue.pins.of("github") == {}
    assert catalogue.find(GITHUB, "a", 0.0) is None

    catalogue.learn(GITHUB, [page("a", text="as it is now")], 1.0)
    assert code(catalogue, "a") is None


def test_a_part_of_a_list_that_looks_whole_is_none():
    catalogue = known(page("a", nextCursor="2"), page("b"))

    assert seen(catalogue, page("a", nextCursor="2"), whole=True) == ["a"]

    assert code(catalogue, "b") is None


def test_a_server_with_tools_it_does_not_list_may_have_them():
    catalogue = known(page("a", "b"))
    catalogue.learn(GITHUB, [page("a", text="evil")], 1.0)
    catalogue.learn(GITHUB, [page(f"x{ZERO}")], 2.0)

    assert code(catalogue, "unlisted", OPEN) is None
    assert code(catalogue, "b", OPEN) is None
    assert code(catalogue, "a", OPEN) == "tool_changed"
    assert code(catalogue, f"x{ZERO}", OPEN) == "unknown_tool"
    assert code(catalogue, "unlisted", GITHUB) == "unknown_tool"
    assert code(catalogue, "b", GITHUB) == "unknown_tool"


def test_a_list_that_was_kept_says_nothing_of_what_the_server_offers_now():
    old, evil, other = page("a"), page("a", text="evil"), page("a", text="never seen")
    catalogue = known(old)
    catalogue.learn(GITHUB, [evil], 1.0)

    for result in (old, evil, other):
        assert kept(catalogue, result) == []
        assert code(catalogue, "a") == "tool_changed"
    catalogue.learn(GITHUB, [old], 2.0)
    assert [kept(catalogue, result) for result in (old, evil, other)] == [["a"], [], []]


# -- what is hidden --------------------------------------------------------------------------------


def test_clean_lists_pass_byte_for_byte():
    result = b'{"tools":[{"name":"a","description":"x"}],"_meta":{"y":1}}'

    catalogue = known(result)

    assert catalogue.shown(GITHUB, "tools/list", result) is result
    assert catalogue.shown(GITHUB, "prompts/list", b'{"prompts":[]}') == b'{"prompts":[]}'


def test_hidden_characters_reach_nobody():
    catalogue = Catalogue()
    poisoned = page("a", text=f"Adds.{ZERO}\U000e0041")

    catalogue.seen(GITHUB, poisoned, 1.0, whole=True, by="")
    shown = catalogue.shown(GITHUB, "tools/list", poisoned)

    assert json.loads(shown)["tools"] == [{"name": "a", "description": "Adds."}]
    assert code(catalogue, "a") is None
    assert [each.code for each in catalogue.items("github")["a"].findings] == ["hidden"]


def test_a_withheld_tool_is_unknown():
    catalogue = Catalogue()

    assert seen(catalogue, page(f"a{ZERO}", "b")) == ["b"]

    assert code(catalogue, f"a{ZERO}") == "unknown_tool"
    assert catalogue.items("github")[f"a{ZERO}"].withheld is not None
    assert set(catalogue.pins.of("github")) == {"b"}


def test_a_tool_that_gains_what_cannot_be_cleaned_is_gone():
    catalogue = known(page("a", "b"))
    bad = dumps({"tools": [{"name": "a", f"x{ZERO}": 1}, *json.loads(page("b"))["tools"]]})

    assert seen(catalogue, bad) == ["b"]

    assert code(catalogue, "a") == "unknown_tool"
    assert catalogue.pins.of("github")["a"].gone == 1.0


def test_the_log_says_of_some_tools_what_is_wrong_and_how_many_more_there_are():
    tools = [{"name": f"t{n}", "description": f"<secret> {n}"} for n in range(MAX_SAID + 7)]

    with capture_logs() as logs:
        seen(Catalogue(), dumps({"tools": tools}))

    events = [each["event"] for each in logs]
    assert events.count("catalogue.suspicious") == MAX_SAID
    assert (events[-1], logs[-1]["tools"]) == ("catalogue.more", 7)
