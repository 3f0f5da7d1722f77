from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.pins import Drift, Pin, Standing
from torhaus.policy.pins import (
    LEFT_OUT,
    MAX_LINES,
    accepted,
    begun,
    definition,
    differences,
    is_news,
    looked,
    missed,
    refusal,
    rejected,
    settled,
    told,
    typed,
    unknown,
)

TOOL: dict[str, Any] = {
    "name": "get_note",
    "title": "Get",
    "description": "Reads a note.",
    "inputSchema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True},
}
OLD, NEW, NEWER = (definition({**TOOL, "description": text}) for text in ("old", "new", "newer"))
QUARANTINE, WARN, ACCEPT = Drift.QUARANTINE, Drift.WARN, Drift.ACCEPT


def pin(**changes: Any) -> Pin:
    return msgspec.structs.replace(begun("notes", "get_note", OLD, 1.0), **changes)


def look(known: Pin | None, found: Any, drift: Drift = WARN, now: float = 5.0) -> Pin:
    return looked(known, "notes", "get_note", found, drift, now)


# -- what is pinned --------------------------------------------------------------------------------


def test_the_order_of_keys_and_blanks_do_not_count():
    text = b'{"inputSchema":{"properties": {}, "type" :"object"},"name":"a"}'
    same = b'{"name": "\\u0061", "inputSchema": {"type":"object","properties":{}}}'

    assert definition(msgspec.json.decode(text)) == definition(msgspec.json.decode(same))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "get_notes"},
        {"title": "Got"},
        {"title": None},
        {"description": "Reads a note. "},
        {"description": "Reads a no\u200bte."},
        {"inputSchema": {"type": "object", "properties": {"id": {"type": "number"}}}},
        {"outputSchema": {"type": "object", "required": []}},
        {"annotations": {"readOnlyHint": False}},
        {"annotations": {"readOnlyHint": True, "destructiveHint": False}},
        {"unheardOf": 1},
    ],
)
def test_every_value_counts(change: dict[str, Any]):
    assert definition({**TOOL, **change}).digest != definition(TOOL).digest
    assert differences(definition(TOOL), definition({**TOOL, **change}))


@pytest.mark.parametrize("name", sorted(TOOL.keys() - {"name"}))
def test_every_field_counts_when_it_goes(name: str):
    less = {key: value for key, value in TOOL.items() if key != name}

    assert definition(less).digest != definition(TOOL).digest
    assert f"@@ {name}" in differences(definition(TOOL), definition(less))[0]


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_what_may_differ_between_answers_is_left_out(name: str):
    assert definition({**TOOL, name: {"x": 1}}) == definition(TOOL)


def test_numbers_of_different_types_are_different():
    one, same = ({"name": "a", "inputSchema": {"default": each}} for each in (1, 1.0))

    assert definition(one).digest != definition(same).digest


# -- differences -----------------------------------------------------------------------------------


def test_equal_definitions_have_no_differences():
    assert differences(OLD, OLD) == ()
    assert differences(None, None) == ()


def test_a_long_description_is_compared_line_by_line():
    lines = [f"line {n}" for n in range(9)]
    before = definition({"description": "\n".join(lines)})
    after = definition({"description": "\n".join([*lines[:4], "and send it away", *lines[4:]])})

    assert differences(before, after) == (
        "@@ description @@",
        " line 3",
        "+and send it away",
        " line 4",
    )


def test_values_are_named_by_where_they_stand():
    before = definition({"inputSchema": {"properties": {"a": {"type": "string"}, "b c": {}}}})
    after = definition({"inputSchema": {"properties": {"a": {"type": "integer"}, "b c": {"x": 1}}}})

    assert differences(before, after) == (
        "@@ inputSchema.properties.a.type @@",
        '-"string"',
        '+"integer"',
        '@@ inputSchema.properties."b c" @@',
        "-{}",
        '@@ inputSchema.properties."b c".x @@',
        "+1",
    )


def test_hidden_characters_are_shown():
    after = definition({"description": "a\u200bb\x1b[8m\u202e"})

    assert differences(None, after) == ("@@ description @@", '+"a<U+200B>b<U+001B>[8m<U+202E>"')


def test_a_long_line_is_cut_and_says_so():
    fits, long = (definition({"a": "x" * size}) for size in (498, 499))

    assert differences(None, fits) == ("@@ a @@", '+"' + "x" * 498 + '"')
    assert differences(None, long) == ("@@ a @@", '+"' + "x" * 499 + "…")


def test_other_separators_are_shown_too():
    after = definition({"a": "x\u2028y"})

    assert differences(None, after) == ("@@ a @@", '+"x<U+2028>y"')
    one, other = (definition({"a": text}) for text in ("x\ny\nz", "x\ny\nw"))
    assert differences(one, other) == ("@@ a @@", " y", '-z"', '+w"')


@pytest.mark.parametrize("line", differences(None, definition({"a\x1b\u202e": "\u2028\n\x07"})))
def test_every_line_is_fit_for_a_terminal(line: str):
    assert line.isprintable()


def test_a_hostile_definition_has_a_bounded_difference():
    many = definition({"inputSchema": {f"k{n}": "x" * 9000 for n in range(1000)}})

    lines = differences(None, many)

    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "… and more"
    # Two lines each: where it stands, and what is new.
    some = definition({f"k{n:03d}": 1 for n in range(MAX_LINES // 2)})
    assert len(differences(None, some)) == MAX_LINES
    assert "… and more" not in differences(None, some)
    assert max(map(len, lines)) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "1", "true", "[]"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "a.b", "[0]"]), inner, max_size=2)
    ),
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "a.b"]), JSON, max_size=2)


@given(OBJECTS, OBJECTS)
def test_there_is_a_difference_exactly_where_the_digests_differ(
    before: dict[str, Any], after: dict[str, Any]
):
    one, other = definition(before), definition(after)

    assert bool(differences(one, other)) == (one.digest != other.digest)


# -- looking at lists ------------------------------------------------------------------------------


def test_the_first_list_is_trusted():
    first = begun("notes", "get_note", OLD, 1.0)

    assert first.standing is Standing.ACCEPTED
    assert (first.accepted, first.accepted_by, first.first_seen) == (OLD, "first use", 1.0)
    assert (first.server, first.name, first.accepted_at) == ("notes", "get_note", 1.0)
    assert not is_news(first)


def test_what_is_as_it_was_stays_the_very_same_pin():
    known = pin()

    assert look(known, OLD, QUARANTINE) is known


@pytest.mark.parametrize("drift", [QUARANTINE, WARN])
def test_a_changed_tool_waits_and_is_news_once(drift: Drift):
    seen = look(pin(), NEW, drift)

    assert seen.standing is Standing.CHANGED
    assert (seen.offered, seen.accepted, seen.since) == (NEW, OLD, 5.0)
    assert is_news(seen)
    assert not is_news(told(seen))
    assert look(told(seen), NEW, drift) is not None
    assert not is_news(look(told(seen), NEW, drift))


def test_the_old_text_is_fine_again_and_the_same_news_is_no_news():
    back = look(told(look(pin(), NEW)), OLD)

    assert back.standing is Standing.ACCEPTED
    assert (back.offered, back.since) == (None, None)
    assert not is_news(look(back, NEW))
    assert is_news(look(back, NEWER))


def test_a_further_change_is_news_again():
    assert is_news(look(told(look(pin(), NEW)), NEWER))


def test_a_new_tool_waits():
    seen = look(None, NEW)

    assert seen.standing is Standing.NEW
    assert (seen.accepted, seen.first_seen) == (None, 5.0)
    assert (seen.server, seen.name, seen.since) == ("notes", "get_note", 5.0)
    assert is_news(seen)


def test_settings_that_accept_everything_do():
    for known in (None, pin()):
        seen = look(known, NEW, ACCEPT)

        assert seen.standing is Standing.ACCEPTED
        assert (seen.accepted, seen.accepted_by, seen.accepted_at) == (NEW, "drift: accept", 5.0)
        assert not is_news(seen)


def test_a_rejected_definition_is_never_accepted_by_settings():
    refused = rejected(look(pin(), NEW))

    assert look(refused, NEW, ACCEPT).standing is Standing.REJECTED
    assert look(look(refused, OLD, ACCEPT), NEW, ACCEPT).standing is Standing.REJECTED
    assert look(refused, NEWER, ACCEPT).standing is Standing.ACCEPTED


def test_a_rejection_is_of_one_definition():
    refused = rejected(look(pin(), NEW))

    assert refused.standing is Standing.REJECTED
    assert not is_news(refused)
    assert look(refused, NEWER).standing is Standing.CHANGED
    assert look(refused, OLD).standing is Standing.ACCEPTED
    assert accepted(refused, NEW, "dana", 9.0).standing is Standing.ACCEPTED
    assert accepted(refused, NEW, "dana", 9.0).rejected is None
    assert accepted(refused, NEWER, "dana", 9.0).rejected == NEW.digest


def test_what_offers_nothing_has_nothing_to_reject_or_to_tell():
    assert rejected(pin()).rejected is None
    assert told(pin()).told is None


def test_a_tool_that_comes_back_must_be_the_same():
    gone = missed(pin(), 3.0)

    assert gone.standing is Standing.GONE
    assert missed(gone, 9.0) is gone
    assert look(gone, OLD).standing is Standing.ACCEPTED
    assert look(gone, NEW).standing is Standing.CHANGED


def test_acceptance_makes_it_what_it_shall_be():
    done = accepted(look(pin(), NEW), NEW, "dana@example.org", 9.0)

    assert done.standing is Standing.ACCEPTED
    assert (done.accepted, done.offered, done.since) == (NEW, None, None)
    assert (done.accepted_by, done.accepted_at) == ("dana@example.org", 9.0)
    assert look(done, NEWER).standing is Standing.CHANGED


# -- decisions made elsewhere ----------------------------------------------------------------------


def test_an_acceptance_from_elsewhere_ends_the_wait():
    here = look(pin(), NEW)
    there = accepted(here, NEW, "dana@example.org", 9.0)

    assert settled(here, there).standing is Standing.ACCEPTED
    assert settled(here, there).accepted == NEW
    assert settled(here, there).since is None


def test_what_is_offered_here_meanwhile_still_waits():
    there = accepted(look(pin(), NEW), NEW, "dana@example.org", 9.0)
    here = look(look(pin(), NEW), NEWER)

    merged = settled(here, there)

    assert (merged.accepted, merged.offered) == (NEW, NEWER)
    assert (merged.accepted_by, merged.accepted_at) == ("dana@example.org", 9.0)
    assert merged.since == here.since
    assert merged.standing is Standing.CHANGED


def test_an_older_row_takes_nothing_back():
    here = accepted(look(pin(), NEW), NEW, "dana@example.org", 9.0)

    assert settled(here, pin()) == here


def test_of_two_acceptances_the_later_counts_and_of_the_same_moment_the_other():
    def at(when: float | None, found: Any) -> Pin:
        return pin(accepted=found, accepted_at=when, accepted_by=None if when is None else "x")

    for ours, theirs, wins in [
        (None, 0.5, "theirs"),
        (0.5, None, "ours"),
        (2.0, 1.0, "ours"),
        (1.0, 2.0, "theirs"),
        (1.0, 1.0, "theirs"),
        (None, None, "theirs"),
    ]:
        both = {"ours": OLD, "theirs": NEW}
        assert settled(at(ours, OLD), at(theirs, NEW)).accepted == both[wins]


def test_a_rejection_from_elsewhere_holds_here():
    here = look(pin(), NEW)

    assert settled(here, rejected(here)).standing is Standing.REJECTED


# -- calls -----------------------------------------------------------------------------------------

CHANGED, FRESH = look(pin(), NEW), look(None, NEW)


@pytest.mark.parametrize(
    ("of", "new", "changed", "code"),
    [
        (pin(), QUARANTINE, QUARANTINE, None),
        (CHANGED, WARN, QUARANTINE, "tool_changed"),
        (CHANGED, QUARANTINE, WARN, None),
        (FRESH, QUARANTINE, WARN, "tool_new"),
        (FRESH, WARN, QUARANTINE, None),
        (rejected(CHANGED), WARN, WARN, "tool_rejected"),
        (rejected(FRESH), ACCEPT, ACCEPT, "tool_rejected"),
    ],
)
def test_settings_say_what_may_be_called(of: Pin, new: Drift, changed: Drift, code: str | None):
    deny = refusal(of, new, changed)

    assert (None if deny is None else deny.code) == code
    assert deny is None or "`get_note`" in deny.reason
    assert deny is None or deny.rule == "catalogue"


def test_a_refusal_says_what_to_type():
    deny = refusal(CHANGED, WARN, QUARANTINE)

    assert deny is not None
    assert "`torhaus tools accept notes get_note`" in deny.reason


def test_a_name_of_the_servers_choice_is_quoted():
    assert typed(pin(name="a; rm -rf ~")) == "notes 'a; rm -rf ~'"
    assert len(typed(pin(name="x" * 9999))) < 200


def test_an_unknown_tool_is_called_so():
    assert (unknown("nope").rule, unknown("nope").code) == ("catalogue", "unknown_tool")
    assert unknown("nope").reason == "Unknown tool: nope"
