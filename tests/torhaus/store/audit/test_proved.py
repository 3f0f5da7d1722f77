import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import no_file_over
from torhaus.audit.examine import Examiner, blocks
from torhaus.audit.marks import read_checkpoint, read_head
from torhaus.model.evidence import Begun, Sealed
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.proved import ProvedSegment

LINE = b'{"timestamp":"2025-10-20T14:23:11.234Z"}\n'


def segment(data: Path, records: int = 1000, seconds: float = 3600) -> ProvedSegment:
    book = journal(data)
    hot = data / "audit" / "hot"
    hot.mkdir(exist_ok=True)
    return ProvedSegment(hot, book, records, seconds)


def events(data: Path) -> list[object]:
    return [each.event for each in JournalReader(data / "audit").more()]


def test_it_is_told_to_the_journal_before_its_first_record(tmp_path: Path):
    one = segment(tmp_path)
    one.prove()
    assert events(tmp_path) == []

    one.append(LINE)

    assert events(tmp_path) == [Begun(segment=one.path.name)]
    head, record = one.path.read_bytes().splitlines(keepends=True)
    found = read_head(head)
    assert found is not None
    assert (found.name, found.node) == (one.path.name, "gate-1")
    assert record == LINE
    one.seal()


def test_a_seal_says_what_the_file_is(tmp_path: Path):
    one = segment(tmp_path)
    one.append(LINE * 2)
    one.seal()

    text = one.path.read_bytes()
    last = read_checkpoint(text.splitlines(keepends=True)[-1])
    assert last is not None
    assert events(tmp_path)[1:] == [
        Sealed(
            segment=one.path.name,
            records=2,
            octets=len(text),
            chain=last.chain,
            sha256=sha256(text).hexdigest(),
            first="2025-10-20T14:23:11.234Z",
            last="2025-10-20T14:23:11.234Z",
        )
    ]


def test_checkpoints_come_after_so_many_records_or_so_much_time(tmp_path: Path):
    one = segment(tmp_path, records=10)
    one.append(LINE * 9)
    assert checkpoints(one.path) == 0
    assert one.due is not None
    assert one.due - time.monotonic() > 3000

    one.append(LINE)
    assert checkpoints(one.path) == 1
    assert one.due is None
    one.append(LINE)
    one.check()
    assert checkpoints(one.path) == 2
    one.seal()
    assert checkpoints(one.path) == 2

    late = segment(tmp_path, seconds=0)
    late.append(LINE)
    assert checkpoints(late.path) == 1
    late.seal()


def test_what_failed_to_be_written_is_not_in_the_chain(tmp_path: Path):
    one = segment(tmp_path)
    one.append(LINE)

    with no_file_over(one.size + 60), pytest.raises(OSError, match="too large"):
        one.append(LINE * 3)
    one.append(LINE * 2)
    one.seal()

    sealed = events(tmp_path)[-1]
    assert isinstance(sealed, Sealed)
    assert sealed.records == 3
    examiner = Examiner(one.path.name)
    for body, proof in blocks([one.path.read_bytes()]):
        examiner.block(body, proof)
    assert examiner.against(sealed) == []


def test_one_that_holds_nothing_leaves_nothing(tmp_path: Path):
    one = segment(tmp_path)
    one.prove()
    one.seal()

    assert list((tmp_path / "audit" / "hot").iterdir()) == []
    assert events(tmp_path) == []


def test_a_beginning_that_failed_is_made_up_for(tmp_path: Path):
    one = segment(tmp_path)
    away = tmp_path / "away"
    (tmp_path / "audit").rename(away)
    with pytest.raises(FileNotFoundError):
        one.append(LINE)
    away.rename(tmp_path / "audit")

    one.append(LINE)
    one.seal()

    assert len(events(tmp_path)) == 2
    assert one.path.read_bytes().count(b'{"segment"') == 1


def checkpoints(path: Path) -> int:
    return path.read_bytes().count(b'{"checkpoint"')
