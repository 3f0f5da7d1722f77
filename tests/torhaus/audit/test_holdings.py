import pytest

from torhaus.audit.catalogue import catalogue
from torhaus.audit.holdings import Segment, holders, holdings
from torhaus.model.evidence import Begun, Deleted, Event, JournalEntry, Moved, Sealed, Written

DAYS = ("2026-01-01", "2026-01-02")
A, B = "seg-a.jsonl", "seg-b.jsonl"


def sealed(name: str, first: str = DAYS[0], last: str = DAYS[1], proof: str = "kept") -> Sealed:
    return Sealed(
        segment=name,
        records=10,
        octets=1,
        chain="",
        sha256="",
        first=f"{first}T00:00:00.000Z",
        last=f"{last}T00:00:00.000Z",
        proof=proof,
    )


def written(day: str, number: int, segments: dict[str, int], *replaces: str) -> Written:
    return Written(
        file=file(day, number),
        day=day,
        records=1,
        octets=1,
        sha256="",
        first="",
        last="",
        segments=segments,
        replaces=replaces,
    )


def file(day: str, number: int) -> str:
    return f"day={day}/n-{number:010}.parquet"


def found(*events: Event, first: str = "", last: str = "") -> tuple[list[Segment], list[str]]:
    entries = (
        JournalEntry(number=at, at="", node="n", previous="", event=event)
        for at, event in enumerate(events, 1)
    )
    listed = holdings(catalogue(entries), first, last)
    return list(listed.segments), [each.written.file for each in listed.files]


def test_a_segment_is_read_from_its_beginning_on() -> None:
    assert found(Begun(segment=A), Begun(segment=B), sealed(B)) == ([Segment(A), Segment(B)], [])


def test_a_damaged_segment_is_still_read() -> None:
    """Whether to believe it is for the verifier to say."""
    assert found(Begun(segment=A), sealed(A, proof="broken"))[0] == [Segment(A)]


def test_what_is_in_a_day_file_is_not_read_from_the_segment() -> None:
    half = written(DAYS[0], 1, {A: 4})

    assert found(sealed(A), half) == ([Segment(A, (DAYS[0],))], [file(DAYS[0], 1)])
    assert found(sealed(A), half, written(DAYS[1], 1, {A: 6}))[0] == []


def test_a_merged_file_stands_for_its_parts() -> None:
    half, merged = written(DAYS[0], 1, {A: 4}), written(DAYS[0], 2, {}, file(DAYS[0], 1))

    assert found(sealed(A), half, merged) == ([Segment(A, (DAYS[0],))], [file(DAYS[0], 2)])


def test_what_is_deleted_is_not_read() -> None:
    assert found(written(DAYS[0], 1, {}), Deleted(file=file(DAYS[0], 1), why="old")) == ([], [])


def test_archived_days_are_named_instead() -> None:
    moved = Moved(file=file(DAYS[0], 1), tier="archive", place="local")
    entries = [written(DAYS[0], 1, {}), moved]
    known = catalogue(
        JournalEntry(number=at, at="", node="n", previous="", event=event)
        for at, event in enumerate(entries, 1)
    )

    assert holdings(known).files == ()
    assert holdings(known).archived == (DAYS[0],)
    assert holdings(known, first_day=DAYS[1]).archived == ()


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("", "", [A, B]),
        (DAYS[1], "", [A, B]),
        ("", DAYS[0], [A]),
        (DAYS[1], DAYS[1], [A, B]),
        ("2026-01-03", "", []),
        ("", "2025-12-31", []),
    ],
)
def test_segments_of_other_days_are_left_out(first: str, last: str, expected: list[str]) -> None:
    events = (sealed(A), sealed(B, DAYS[1], DAYS[1]))

    assert [each.name for each in found(*events, first=first, last=last)[0]] == expected


def test_a_segment_that_is_being_written_may_have_any_day() -> None:
    assert found(Begun(segment=A), first="2020-01-01", last="2020-01-01")[0] == [Segment(A)]


def test_files_of_other_days_are_left_out() -> None:
    events = (written(DAYS[0], 1, {}), written(DAYS[1], 1, {}))

    assert found(*events, first=DAYS[1])[1] == [file(DAYS[1], 1)]
    assert found(*events, last=DAYS[0])[1] == [file(DAYS[0], 1)]


def test_a_day_whose_file_has_ended_is_not_read_from_its_segment_again() -> None:
    events = (
        sealed(A),
        written(DAYS[0], 1, {A: 5}),
        Deleted(file=file(DAYS[0], 1), why="its time was over"),
    )

    assert found(*events) == ([Segment(A, without=(DAYS[0],))], [])


def test_a_file_made_of_files_made_of_others_holds_what_they_held() -> None:
    events = (
        sealed(A),
        sealed(B),
        written(DAYS[0], 1, {A: 10}),
        written(DAYS[0], 2, {B: 10}),
        written(DAYS[0], 3, {}, file(DAYS[0], 1)),
        written(DAYS[0], 4, {}, file(DAYS[0], 3)),
    )
    known = catalogue(
        JournalEntry(number=at, at="", node="n", previous="", event=event)
        for at, event in enumerate(events, 1)
    )

    assert [each.written.file for each in holders(known, A)] == [file(DAYS[0], 4)]
    assert [each.written.file for each in holders(known, B)] == [file(DAYS[0], 2)]
