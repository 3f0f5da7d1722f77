from hashlib import sha256
from pathlib import Path

import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.tiers.stock import (
    DAY,
    EVENING,
    MORNING,
    NEXT,
    contents,
    counted,
    depot,
    ids,
    record,
    seal,
)
from torhaus.audit.holdings import filed_days
from torhaus.model.evidence import Sealed
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.tiers.compacting import compact, merge, waiting
from torhaus.store.audit.tiers.depot import UpkeepError


def test_segments_of_a_day_become_one_file_sorted_by_time(tmp_path: Path) -> None:
    seal(tmp_path, "b", [record(MORNING + n, n) for n in (5, 3, 4)])
    seal(tmp_path, "a", [record(MORNING + n, n) for n in (9, 0)])
    here = depot(tmp_path)

    refused = compact(here)

    known = here.catalogue()
    name = "day=2025-10-20/gate-1-0000000001.parquet"
    assert refused == {}
    assert list(known.files) == [name]
    assert ids([here.local("hot").path(name)]) == [record(0, n).request_id for n in (0, 3, 4, 5, 9)]
    assert known.files[name].written.records == 5
    assert known.files[name].written.segments == {"seg-a.jsonl": 2, "seg-b.jsonl": 3}
    assert waiting(known) == []


def test_a_segment_over_midnight_becomes_two_files(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(EVENING + n, n) for n in range(20)])
    here = depot(tmp_path)

    compact(here)

    files = here.catalogue().files
    assert [(each.written.day, each.written.records) for each in files.values()] == [
        ("2025-10-20", 10),
        ("2025-10-21", 10),
    ]
    assert filed_days(here.catalogue()) == {"seg-a.jsonl": ("2025-10-20", "2025-10-21")}


def test_late_records_go_to_a_further_file_of_their_day(tmp_path: Path) -> None:
    here = depot(tmp_path)
    seal(tmp_path, "a", [record(MORNING, 1)])
    compact(here)
    seal(tmp_path, "b", [record(MORNING + 5, 2)])

    compact(here)

    assert [*here.catalogue().files] == [
        "day=2025-10-20/gate-1-0000000001.parquet",
        "day=2025-10-20/gate-1-0000000002.parquet",
    ]


def test_a_day_that_is_over_ends_up_in_one_file(tmp_path: Path) -> None:
    here = depot(tmp_path)
    for number in range(3):
        seal(tmp_path, f"{number}", [record(MORNING + number, number)])
        compact(here)

    assert not merge(here, now=MORNING + 3600)
    assert merge(here, now=NEXT)
    assert not merge(here, now=NEXT)

    known = here.catalogue()
    (file,) = known.files.values()
    assert file.written.records == 3
    assert len(file.written.replaces) == 3
    assert len(known.replaced) == 3
    assert counted(here) == {record(0, number).request_id: 1 for number in range(3)}


def test_a_day_waits_for_its_late_segments_before_its_files_are_made_one(tmp_path: Path) -> None:
    here = depot(tmp_path)
    for number in range(2):
        seal(tmp_path, f"{number}", [record(MORNING + number, number)])
        compact(here)
    seal(tmp_path, "late", [record(MORNING + 7, 7)])

    assert not merge(here, now=NEXT)


def test_a_segment_that_was_changed_is_never_compacted_away(tmp_path: Path) -> None:
    bad = seal(tmp_path, "bad", [record(MORNING, 1), record(MORNING, 2)])
    seal(tmp_path, "good", [record(MORNING, 3)])
    text = bad.read_bytes()
    bad.write_bytes(text.replace(b"person1", b"person9"))
    here = depot(tmp_path)

    refused = compact(here)

    assert refused == {"seg-bad.jsonl": "it is not what it was when it was sealed"}
    assert [*here.catalogue().sealed] == ["seg-bad.jsonl"]
    assert bad.exists()
    assert counted(here)[record(0, 3).request_id] == 1


def test_a_segment_whose_line_in_the_journal_nobody_signed_stays(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1)])
    path = tmp_path / "audit" / NAME
    line = path.read_bytes()
    path.write_bytes(
        line.replace(b'\\"records\\":1', b'\\"records\\":2').replace(b'"records":1', b'"records":2')
    )
    assert path.read_bytes() != line
    here = depot(tmp_path)

    refused = compact(here)

    assert "signed" in refused["seg-a.jsonl"]
    assert here.catalogue().files == {}


def test_what_is_broken_or_gone_is_told_and_left(tmp_path: Path) -> None:
    seal(tmp_path, "broken", [record(MORNING, 1)], proof="broken", why="line 3")
    seal(tmp_path, "gone", [record(MORNING, 2)]).unlink()
    here = depot(tmp_path)

    assert compact(here) == {"seg-gone.jsonl": "it is not there any more"}
    assert here.catalogue().files == {}


def test_records_of_a_newer_version_stay_in_their_segment(tmp_path: Path) -> None:
    path = seal(tmp_path, "a", [record(MORNING, 1)])
    path.unlink()
    newer = record(MORNING, 1)
    text = b'{"segment":{}}\n{"timestamp":"%s","colour":"red"}\n' % newer.timestamp.encode()
    path.write_bytes(text)
    journal(tmp_path).append(
        Sealed(
            segment="seg-a.jsonl",
            records=1,
            octets=len(text),
            chain="",
            sha256=sha256(text).hexdigest(),
            first="",
            last="",
        )
    )
    here = depot(tmp_path)

    assert "no record of this version" in compact(here)["seg-a.jsonl"]


@pytest.mark.parametrize("name", ["../../seg-x.jsonl", "seg-/../../x", "other.jsonl"])
def test_a_segment_is_a_file_of_its_directory(tmp_path: Path, name: str) -> None:
    journal(tmp_path).append(
        Sealed(segment=name, records=1, octets=1, chain="", sha256="", first="", last="")
    )

    with pytest.raises(UpkeepError, match="no file's name"):
        compact(depot(tmp_path))


def test_nothing_is_done_on_the_word_of_a_damaged_journal(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1)])
    seal(tmp_path, "b", [record(MORNING + DAY, 2)])
    path = tmp_path / "audit" / NAME
    path.write_bytes(path.read_bytes().replace(b"sealed", b"sealer", 1))
    before = contents(tmp_path)

    with pytest.raises(UpkeepError, match="damaged"):
        compact(depot(tmp_path))

    assert contents(tmp_path) == before


def test_what_is_no_key_among_the_keys_is_told(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1)])
    (tmp_path / "audit" / "keys" / "x.pub").write_text("no key")

    with pytest.raises(UpkeepError, match=r"x\.pub does not hold an Ed25519 public key"):
        compact(depot(tmp_path))
