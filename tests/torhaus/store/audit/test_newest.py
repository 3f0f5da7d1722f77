from pathlib import Path

import msgspec

from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, record, seal
from torhaus.audit.line import read
from torhaus.store.audit.newest import newest
from torhaus.store.audit.tiers.compacting import compact


def numbers(lines: list[bytes]) -> list[str]:
    return sorted(found.timestamp for line in lines if (found := read(line)) is not None)


def stock(tmp_path: Path) -> None:
    for day in range(3):
        at = MORNING + day * DAY
        seal(tmp_path, f"{day}", [record(at + n, 10 * day + n) for n in range(5)])
    compact(depot(tmp_path))


def test_the_newest_records_come_from_the_newest_files(tmp_path: Path) -> None:
    stock(tmp_path)

    found = newest(tmp_path / "audit", 3, lambda _line: True)

    assert numbers(found) == [f"2025-10-22T09:00:0{n}.000Z" for n in (2, 3, 4)]


def test_older_files_are_read_when_the_newest_has_too_few(tmp_path: Path) -> None:
    stock(tmp_path)

    found = newest(tmp_path / "audit", 7, lambda _line: True)

    assert len([each for each in numbers(found) if each.startswith("2025-10-22")]) == 5
    assert len(found) >= 7


def test_only_what_is_wanted_counts_and_spoiled_files_are_left_out(tmp_path: Path) -> None:
    stock(tmp_path)
    here = depot(tmp_path)
    name = [*here.catalogue().files][-1]
    here.local("hot").path(name).write_bytes(b"spoiled")

    found = newest(tmp_path / "audit", 2, lambda line: b"T09:00:01" in line)

    assert numbers(found) == ["2025-10-20T09:00:01.000Z", "2025-10-21T09:00:01.000Z"]


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    odd = record(MORNING, 1, parameters=msgspec.Raw(b'{"_text":"so"}'), phase="outcome")
    seal(tmp_path, "a", [odd])
    compact(depot(tmp_path))

    (line,) = newest(tmp_path / "audit", 1, lambda _line: True)

    assert read(line) == odd


def test_without_a_journal_there_is_nothing(tmp_path: Path) -> None:
    assert newest(tmp_path / "audit", 3, lambda _line: True) == []
