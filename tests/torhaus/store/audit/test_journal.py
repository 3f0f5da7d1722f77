import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.store.audit.journals import begun, journal, sealed
from tests.torhaus.store.audit.ledgers import no_file_over
from torhaus.audit.entries import read
from torhaus.audit.signing import digest, opened, verify
from torhaus.model.evidence import Begun
from torhaus.store.audit.journal import NAME, JournalReader
from torhaus.store.audit.keys import audit_key


def lines(data: Path) -> list[bytes]:
    return (data / "audit" / NAME).read_bytes().splitlines(keepends=True)


def names(reader: JournalReader) -> list[str]:
    return [each.event.segment for each in reader.more() if isinstance(each.event, Begun)]


def test_every_line_is_signed_and_names_the_one_before(tmp_path: Path):
    book = journal(tmp_path)

    made = [book.append(begun(name)) for name in "abc"]

    found = lines(tmp_path)
    assert [read(line) for line in found] == made
    assert [each.number for each in made] == [1, 2, 3]
    assert [each.previous for each in made] == ["", digest(found[0]), digest(found[1])]
    for line in found:
        verify(opened(line), book.key.public())
    assert stat.S_IMODE((tmp_path / "audit" / NAME).stat().st_mode) == 0o600


def test_it_goes_on_where_the_last_process_ended(tmp_path: Path):
    journal(tmp_path).append(begun("a"))

    assert journal(tmp_path).append(begun("b")).number == 2


def test_it_is_read_without_the_key(tmp_path: Path):
    book = journal(tmp_path)
    reader = JournalReader(tmp_path / "audit")
    (tmp_path / "audit.key").unlink()
    assert reader.now().number == 0

    book.append(begun("a"))
    assert list(reader.now().begun) == ["a"]
    book.append(sealed("a"))

    assert list(reader.now().sealed) == ["a"]
    assert reader.link.number == 2
    assert reader.damaged == []


def test_a_torn_end_is_cut_off_and_kept(tmp_path: Path):
    book = journal(tmp_path)
    book.append(begun("a"))
    path = tmp_path / "audit" / NAME
    with path.open("ab") as file:
        file.write(b'{"entry":{"num')
    reader = JournalReader(tmp_path / "audit")
    assert names(reader) == ["a"]

    with capture_logs() as logs:
        book.append(begun("b"))

    assert names(reader) == ["b"]
    assert reader.damaged == []
    assert path.with_name(NAME + ".torn").read_bytes() == b'{"entry":{"num'
    assert [each["event"] for each in logs] == ["audit.journal_repaired"]


def test_a_full_disk_leaves_no_half_line(tmp_path: Path):
    book = journal(tmp_path)
    book.append(begun("a"))
    size = (tmp_path / "audit" / NAME).stat().st_size

    with no_file_over(size + 50), pytest.raises(OSError, match="too large"):
        book.append(begun("lost"))

    assert (tmp_path / "audit" / NAME).stat().st_size == size
    assert book.append(begun("b")).number == 2


def test_a_damaged_end_is_told_and_does_not_stop_the_log(tmp_path: Path):
    book = journal(tmp_path)
    book.append(begun("a"))
    book.append(begun("b"))
    path = tmp_path / "audit" / NAME
    path.write_bytes(path.read_bytes()[:-2] + b"x\n")

    with capture_logs() as logs:
        assert book.append(begun("c")).number == 3

    assert [each["event"] for each in logs] == ["audit.journal_damaged"]
    reader = JournalReader(tmp_path / "audit")
    assert names(reader) == ["a", "c"]
    assert reader.damaged == [2]


def test_a_journal_that_got_shorter_is_told(tmp_path: Path):
    book = journal(tmp_path)
    reader = JournalReader(tmp_path / "audit")
    for name in "abc":
        book.append(begun(name))
    assert names(reader) == ["a", "b", "c"]
    (tmp_path / "audit" / NAME).write_bytes(b"".join(lines(tmp_path)[:1]))

    assert names(reader) == ["a"]
    with capture_logs() as logs:
        book.append(begun("d"))

    assert [each["event"] for each in logs] == ["audit.journal_shrank"]
    assert list(reader.now().begun) == ["a", "d"]


def test_a_line_that_does_not_go_on_from_the_one_before_is_damaged(tmp_path: Path):
    book = journal(tmp_path)
    for name in "abcd":
        book.append(begun(name))
    a, b, c, d = lines(tmp_path)
    (tmp_path / "audit" / NAME).write_bytes(a + c + b + d)

    reader = JournalReader(tmp_path / "audit")
    reader.now()

    assert reader.damaged == [2, 3, 4]


def test_a_journal_that_was_taken_away_is_read_as_empty(tmp_path: Path):
    journal(tmp_path).append(begun("a"))
    reader = JournalReader(tmp_path / "audit")
    assert reader.now().number == 1

    (tmp_path / "audit" / NAME).unlink()

    assert reader.now().number == 0


def test_a_link_in_its_place_is_not_followed(tmp_path: Path):
    book = journal(tmp_path)
    (tmp_path / "audit" / NAME).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic"):
        book.append(begun("a"))

    assert not (tmp_path / "elsewhere").exists()


def _append(data: Path, name: str, count: int) -> None:
    book = journal(data)
    for number in range(count):
        book.append(begun(f"{name}{number}"))


def test_processes_append_side_by_side(tmp_path: Path):
    audit_key(tmp_path, lambda size: b"x" * size)
    forked = multiprocessing.get_context("spawn")
    running = [forked.Process(target=_append, args=(tmp_path, name, 25)) for name in "abc"]
    for each in running:
        each.start()
    for each in running:
        each.join()

    reader = JournalReader(tmp_path / "audit")
    found = names(reader)
    assert reader.damaged == []
    assert reader.link.number == 75
    for name in "abc":
        assert [each for each in found if each[0] == name] == [f"{name}{i}" for i in range(25)]


def test_an_entry_can_depend_on_what_is_there_when_nobody_else_can_append(tmp_path: Path) -> None:
    here = journal(tmp_path)
    reader = JournalReader(tmp_path / "audit")

    def empty() -> bool:
        return reader.now().begun == {}

    first = here.append_if(empty, begun("seg-1"))
    second = here.append_if(empty, begun("seg-2"))

    assert first is not None
    assert first.number == 1
    assert second is None
    assert [*reader.now().begun] == ["seg-1"]


def test_a_line_that_was_taken_back_is_forgotten(tmp_path: Path):
    """Whoever appends takes it back when the disk does not: a reader may have seen it."""
    book = journal(tmp_path)
    reader = JournalReader(tmp_path / "audit")
    book.append(begun("a"))
    size = (tmp_path / "audit" / NAME).stat().st_size
    book.append(begun("b"))
    assert [*reader.now().begun] == ["a", "b"]

    os.truncate(tmp_path / "audit" / NAME, size)
    book = journal(tmp_path)
    book.append(begun("a-longer-name"))
    book.append(begun("c"))

    assert [*reader.now().begun] == ["a", "a-longer-name", "c"]
    assert reader.damaged == []
    assert reader.link.number == 3
