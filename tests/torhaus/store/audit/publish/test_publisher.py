import fcntl
import os
import threading
from pathlib import Path

from structlog.testing import capture_logs

from tests.torhaus.store.audit.journals import begun, journal
from tests.torhaus.store.audit.logs import checked, edited, left_live, told, write
from torhaus.audit.attest import Keys
from torhaus.model.publishing import HeadFile, Keeper, PublishError
from torhaus.store.audit.heads import NAME, read_head
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.keys import keys_directory, public_keys
from torhaus.store.audit.publish.publisher import Publisher, publisher
from torhaus.store.audit.recover import recover


class Shelf:
    """A keeper in memory; it refuses while `trouble` is set."""

    name = "shelf"

    def __init__(self) -> None:
        self.trouble = ""
        self.kept: list[int] = []
        self.closed = False
        self.happened = threading.Event()

    def put(self, number: int, _line: bytes) -> None:
        if self.trouble:
            raise PublishError(self.trouble)
        self.kept.append(number)
        self.happened.set()

    def close(self) -> None:
        self.closed = True


def made(data: Path, *keepers: Keeper) -> Publisher:
    return Publisher(journal(data), keepers, clock=lambda: 1760970191.0)


def keys(data: Path) -> Keys:
    return public_keys(keys_directory(data / "audit"))


def release(one: Publisher) -> None:
    assert one._lock is not None
    os.close(one._lock)


def test_a_head_is_kept_beside_the_journal_and_by_each_keeper(tmp_path: Path):
    write(tmp_path, 3)
    shelf = Shelf()
    one = made(tmp_path, shelf)

    one.round()
    one.round()

    assert read_head(tmp_path / "audit" / NAME, keys(tmp_path)).number == 2
    assert shelf.kept == [2]
    (state,) = one.evidence().published
    assert (state.sent, state.failed, state.last, state.trouble) == (1, 0, 1760970191.0, None)
    assert one.evidence().trouble is None

    write(tmp_path, 3, start=10)
    one.round()
    assert shelf.kept == [2, 4]
    release(one)


def test_one_that_refuses_is_told_once_and_asked_again(tmp_path: Path):
    write(tmp_path, 3)
    shelf, other = Shelf(), Shelf()
    shelf.trouble = "it answered HTTP 500"
    one = made(tmp_path, shelf, other)

    with capture_logs() as logs:
        one.round()
        one.round()
        shelf.trouble = ""
        one.round()

    assert [each["event"] for each in logs] == [
        "audit.head_not_published",
        "audit.head_published_again",
    ]
    assert (shelf.kept, other.kept) == ([2], [2])
    assert one.evidence().published[0].failed == 2
    assert one.evidence().trouble is None
    release(one)


def test_what_a_dead_process_left_is_sealed(tmp_path: Path):
    left_live(tmp_path, 7)
    one = made(tmp_path)

    one.round()

    assert checked(tmp_path).live == 0
    assert told(checked(tmp_path)) == []
    release(one)


def test_the_head_of_another_journal_is_never_replaced(tmp_path: Path):
    write(tmp_path, 6)
    one = made(tmp_path)
    one.round()
    release(one)
    before = (tmp_path / "audit" / NAME).read_bytes()
    edited(tmp_path / "audit" / JOURNAL, lambda x: x[:1])

    two = made(tmp_path)
    with capture_logs() as logs:
        two.round()
        two.round()

    assert (tmp_path / "audit" / NAME).read_bytes() == before
    assert "another journal" in (two.evidence().trouble or "")
    assert [each["event"] for each in logs if "troubled" in each["event"]] == [
        "audit.evidence_troubled"
    ]
    release(two)


def test_damage_of_the_journal_and_broken_segments_are_trouble(tmp_path: Path):
    path = left_live(tmp_path, 7)
    edited(path, lambda x: [*x[:2], x[2].replace(b"alice", b"malice"), *x[3:]])
    one = made(tmp_path)
    one.round()
    assert "a segment is not what was written" in (one.evidence().trouble or "")
    release(one)

    journal(tmp_path).append(begun("seg-2.jsonl"))
    edited(tmp_path / "audit" / JOURNAL, lambda x: [x[0], x[1][:-2] + b"x\n", *x[2:]])
    two = made(tmp_path)
    two.round()
    assert two.evidence().trouble is not None
    release(two)


def test_a_segment_cut_back_behind_its_published_head_is_broken(tmp_path: Path):
    path = left_live(tmp_path, 10)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as if it were being written
        one = made(tmp_path)
        one.round()
    release(one)
    edited(path, lambda x: x[:7])
    live = read_head(tmp_path / "audit" / NAME, keys(tmp_path)).live

    (sealed,) = recover(tmp_path / "audit" / "hot", journal(tmp_path), live)

    assert sealed.proof == "broken"
    assert "a checkpoint after 10 records was published; it is gone" in sealed.why


def test_one_process_publishes_and_another_takes_over(tmp_path: Path):
    write(tmp_path, 3)
    first, second = Shelf(), Shelf()
    one, two = made(tmp_path, first), made(tmp_path, second)

    one.round()
    two.round()
    assert (first.kept, second.kept) == ([2], [])
    release(one)

    two.round()
    assert second.kept == [2]
    release(two)


def test_a_line_of_the_journal_hastens_the_next_head(tmp_path: Path):
    book = journal(tmp_path)
    path = tmp_path / "elsewhere.json"
    one = publisher(book, [HeadFile(path=str(path))])
    shelf = Shelf()
    one._keepers = (shelf,)
    one.start()
    assert shelf.happened.wait(10)
    shelf.happened.clear()

    book.append(begun("seg-1.jsonl"))

    assert shelf.happened.wait(10)
    book.told = None
    book.append(begun("seg-2.jsonl"))
    one.close(10)
    assert shelf.kept[-1] == 2
    assert shelf.closed


def test_a_directory_that_cannot_be_written_is_trouble(tmp_path: Path):
    write(tmp_path, 3)
    one = made(tmp_path)
    one.round()
    (tmp_path / "audit" / "head.json").unlink()
    (tmp_path / "audit" / "head.json").mkdir()
    write(tmp_path, 3, start=10)

    one.round()

    assert "cannot be kept" in (one.evidence().trouble or "")
    release(one)


def test_closing_one_that_never_ran_is_nothing(tmp_path: Path):
    made(tmp_path).close()

    assert not (tmp_path / "audit" / "publish.lock").exists()
