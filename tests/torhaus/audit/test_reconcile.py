import pytest

from tests.torhaus.audit.test_catalogue import after, written
from tests.torhaus.store.audit.journals import sealed
from torhaus.audit.reconcile import (
    DAY_FILE,
    SEGMENT,
    contradictions,
    excess,
    listed,
    unfinished,
)
from torhaus.model.evidence import Event, JournalEntry, Written


def told(*events: Event) -> list[str]:
    entries = [
        JournalEntry(number=number, at="", node="", previous="", event=event)
        for number, event in enumerate(events, 1)
    ]
    return [str(each) for each in contradictions(entries)]


def short(file: str, records: int, segments: dict[str, int]) -> Written:
    return Written(
        file=file,
        day="",
        records=records,
        octets=1,
        sha256="",
        first="",
        last="",
        segments=segments,
    )


def test_a_journal_that_adds_up_has_no_contradictions():
    events = (
        sealed("a", 3),
        written("hour1", {"a": 2}),
        written("hour2", {"a": 1}),
        short("day1", 3, {}),
    )

    assert told(*events[:3]) == []
    day = Written(
        file="day1",
        day="",
        records=3,
        octets=1,
        sha256="",
        first="",
        last="",
        segments={},
        replaces=("hour1", "hour2"),
    )
    assert told(*events[:3], day) == []


def test_what_does_not_add_up_is_named_by_its_line():
    assert told(sealed("a", 3), sealed("a", 3)) == ["line 2 says that a was sealed once more"]
    assert told(sealed("a", 3), short("day1", 2, {"a": 3})) == [
        "line 2 gives day1 2 records, and its sources 3"
    ]
    again = (written("day1", {"a": 3}), written("day1", {"a": 3}))
    assert told(sealed("a", 3), *again) == ["line 3 says that day1 was written once more"]
    assert told(written("day1", {}, replaces=("x",))) == [
        "line 1 replaces x, which was never written"
    ]


def test_no_more_records_come_out_of_a_segment_than_are_in_it():
    assert list(excess(after(sealed("a", 3), written("day1", {"a": 3})))) == []
    assert list(excess(after(sealed("a", 3), written("day1", {"a": 4})))) == [
        ("a", "it has 3 records, and day files took 4 from it")
    ]
    assert list(excess(after(written("day1", {"a": 4})))) == [
        ("a", "day files took 4 records from it, and it was never sealed")
    ]


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("seg-20251020T142311234000Z-12-0a1b2c3d.jsonl", True),
        ("../seg-1.jsonl", False),
        ("seg-../../x.jsonl", False),
        ("seg-1.jsonl/", False),
    ],
)
def test_names_of_segments_lead_nowhere_else(name: str, yes: bool):
    assert (SEGMENT.fullmatch(name) is not None) is yes


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("day=2025-10-20/gate-1-3f9ac1-0000000001.parquet", True),
        ("day=2025-10-20/../../x-0000000001.parquet", False),
        ("/day=2025-10-20/gate-0000000001.parquet", False),
    ],
)
def test_names_of_day_files_lead_nowhere_else(name: str, yes: bool):
    assert (DAY_FILE.fullmatch(name) is not None) is yes


def test_a_file_that_was_not_listed_yet_has_the_next_number() -> None:
    name = "day=2025-10-20/gate-1-{:010}.parquet".format
    found = after(sealed("a", 3), short(name(1), 3, {"a": 3}))

    assert listed(found, name(1))
    assert [unfinished(found, name(number)) for number in (1, 2, 3)] == [False, True, False]
    assert unfinished(found, name(1).replace("gate-1", "gate-2"))
