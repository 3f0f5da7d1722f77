from tests.torhaus.store.audit.journals import begun, sealed
from torhaus.audit.catalogue import Catalogue, catalogue
from torhaus.model.evidence import (
    Deleted,
    Event,
    Held,
    JournalEntry,
    Moved,
    Released,
    Written,
)


def after(*events: Event) -> Catalogue:
    return catalogue(
        JournalEntry(number=number, at="", node="gate-1", previous="", event=event)
        for number, event in enumerate(events, 1)
    )


def written(file: str, segments: dict[str, int], replaces: tuple[str, ...] = ()) -> Written:
    return Written(
        file=file,
        day="2025-10-20",
        records=sum(segments.values()),
        octets=1,
        sha256="",
        first="",
        last="",
        segments=segments,
        replaces=replaces,
    )


def hold(name: str, first: str = "2025-10-01", last: str = "2025-10-31") -> Held:
    return Held(hold=name, first_day=first, last_day=last, by="dana", why="a lawsuit")


def test_a_segment_is_begun_then_sealed():
    assert list(after(begun("a")).begun) == ["a"]

    found = after(begun("a"), sealed("a"))

    assert found.begun == {}
    assert found.sealed == {"a": sealed("a")}
    assert found.number == 2


def test_a_segment_is_compacted_when_all_its_records_are_in_day_files():
    half = after(sealed("a", 3), written("day1", {"a": 2}))
    whole = after(sealed("a", 3), written("day1", {"a": 2}), written("day2", {"a": 1}))

    assert list(half.sealed) == ["a"]
    assert half.filed == {"a": 2}
    assert whole.sealed == {}
    assert list(whole.compacted) == ["a"]
    assert list(whole.files) == ["day1", "day2"]


def test_a_segment_without_records_needs_no_day_file():
    assert list(after(begun("a"), sealed("a", 0)).compacted) == ["a"]


def test_a_broken_segment_is_not_for_compaction():
    found = after(begun("a"), sealed("a", proof="broken", why="it was changed"))

    assert found.sealed == {}
    assert list(found.broken) == ["a"]


def test_a_day_file_moves_through_the_tiers():
    moved = Moved(file="day1", tier="warm", place="s3://bucket", storage_class="STANDARD_IA")
    before = after(sealed("a"), written("day1", {"a": 3})).files["day1"]
    found = after(sealed("a"), written("day1", {"a": 3}), moved).files["day1"]

    assert (before.tier, before.place, before.node) == ("hot", "local", "gate-1")
    assert (found.tier, found.place, found.storage_class) == ("warm", "s3://bucket", "STANDARD_IA")


def test_a_day_file_takes_the_place_of_others():
    found = after(
        sealed("a"),
        written("hour1", {"a": 3}),
        written("day1", {}, replaces=("hour1",)),
    )

    assert list(found.files) == ["day1"]
    assert list(found.replaced) == ["hour1"]


def test_what_is_deleted_is_remembered():
    found = after(
        sealed("a"),
        written("day1", {"a": 3}),
        Deleted(file="day1", why="older than two years"),
        begun("b"),
        Deleted(file="b", why="lost with its disk"),
    )

    assert (found.files, found.begun) == ({}, {})
    assert list(found.deleted) == ["day1", "b"]


def test_a_hold_keeps_its_days_until_it_is_released():
    two = after(hold("one"), hold("two", "2025-10-20", "2025-10-20"))
    one = after(hold("one"), hold("two"), Released(hold="one", by="dana", why="it is over"))

    assert [each.hold for each in two.held("2025-10-20")] == ["one", "two"]
    assert [each.hold for each in two.held("2025-10-31")] == ["one"]
    assert two.held("2025-11-01") == []
    assert list(one.holds) == ["two"]


def test_events_about_what_is_unknown_are_no_trouble():
    found = after(
        Moved(file="x", tier="warm", place="local"),
        Deleted(file="x", why=""),
        Released(hold="x", by="", why=""),
    )

    assert found.files == {}
