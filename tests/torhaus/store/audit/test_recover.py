import fcntl
import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.test_proved import LINE, events, segment
from torhaus.model.evidence import LiveChain, Sealed
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.proved import ProvedSegment
from torhaus.store.audit.recover import recover
from torhaus.store.audit.segments import Segment


def left_behind(data: Path, *batches: bytes, records: int = 3) -> Path:
    """A segment whose process died without a word."""
    one = segment(data, records=records)
    for batch in batches:
        one.append(batch)
    die(one)
    return one.path


def die(one: ProvedSegment) -> None:
    import os  # noqa: PLC0415

    os.close(one._segment._fd)


def recovered(data: Path, book: Journal | None = None, **known: LiveChain) -> list[Sealed]:
    named = {f"{name}": each for name, each in known.items()}
    return list(recover(data / "audit" / "hot", book or journal(data), named))


def test_a_segment_of_a_dead_process_is_sealed_as_recovered(tmp_path: Path):
    path = left_behind(tmp_path, LINE * 3, LINE * 2)

    with capture_logs() as logs:
        (sealed,) = recovered(tmp_path)

    text = path.read_bytes()
    assert (sealed.proof, sealed.records, sealed.unproved) == ("recovered", 5, 2)
    assert (sealed.octets, sealed.sha256) == (len(text), sha256(text).hexdigest())
    assert sealed.first == sealed.last == "2025-10-20T14:23:11.234Z"
    assert events(tmp_path)[-1] == sealed
    assert [each["event"] for each in logs] == ["audit.segment_recovered"]
    assert recovered(tmp_path) == []


def test_a_torn_end_is_cut_off_and_kept(tmp_path: Path):
    path = left_behind(tmp_path, LINE * 3)
    with path.open("ab") as file:
        file.write(b'{"timest')

    with capture_logs() as logs:
        (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.records) == ("recovered", 3)
    assert path.with_name(path.name + ".torn").read_bytes() == b'{"timest'
    assert [each["event"] for each in logs] == ["audit.repaired", "audit.segment_recovered"]


def test_a_changed_segment_is_never_sealed_as_good(tmp_path: Path):
    path = left_behind(tmp_path, LINE * 3)
    path.write_bytes(path.read_bytes().replace(b"14:23:11", b"14:23:12", 1).replace(b"x", b"y"))
    text = path.read_bytes()
    changed = text.replace(b"14:23", b"14:24", 2)
    path.write_bytes(changed)

    with capture_logs() as logs:
        (sealed,) = recovered(tmp_path)

    assert sealed.proof == "broken"
    assert "changed" in sealed.why
    assert path.read_bytes() == changed
    assert [each["event"] for each in logs] == ["audit.segment_broken"]
    assert logs[0]["log_level"] == "error"
    assert recovered(tmp_path) == []


def test_an_end_that_was_published_and_is_gone_is_never_sealed_as_good(tmp_path: Path):
    path = left_behind(tmp_path, LINE * 3, LINE * 3)
    known = {path.name: LiveChain(records=6, chain="e" * 64)}

    (sealed,) = recovered(tmp_path, **known)

    assert sealed.proof == "broken"
    assert "published" in sealed.why


def test_a_segment_without_its_head_is_broken(tmp_path: Path):
    path = left_behind(tmp_path, LINE)
    path.write_bytes(LINE)

    (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.why) == ("broken", "its head is missing")


def test_a_segment_of_an_older_version_is_sealed_as_found(tmp_path: Path):
    journal(tmp_path)
    hot = tmp_path / "audit" / "hot"
    hot.mkdir()
    (hot / "seg-1.jsonl").write_bytes(LINE * 4)

    (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.records, sealed.chain) == ("found", 4, "")
    assert sealed.sha256 == sha256(LINE * 4).hexdigest()


@pytest.mark.parametrize("content", [b"", b" " * 4095 + b"\n", b"  "])
def test_a_segment_that_never_began_is_removed(tmp_path: Path, content: bytes):
    journal(tmp_path)
    hot = tmp_path / "audit" / "hot"
    hot.mkdir()
    (hot / "seg-1.jsonl").write_bytes(content)

    assert recovered(tmp_path) == []

    assert [each.name for each in hot.glob("seg-*.jsonl")] == []
    assert events(tmp_path) == []


def test_one_that_was_begun_and_is_empty_was_cut(tmp_path: Path):
    path = left_behind(tmp_path, LINE)
    path.write_bytes(b"")

    (sealed,) = recovered(tmp_path)

    assert sealed.proof == "broken"


def test_a_segment_without_a_head_that_is_younger_than_the_journal_was_put_there(tmp_path: Path):
    """Whoever has no key must not have his records sealed as if an older version had made them."""
    left_behind(tmp_path, LINE)
    added = tmp_path / "audit" / "hot" / "seg-0.jsonl"
    added.write_bytes(LINE.replace(LINE[14:38], b"2099-01-01T00:00:00.000Z"))

    sealed = {each.segment: each for each in recovered(tmp_path)}[added.name]

    assert sealed.proof == "broken"
    assert "younger than the journal" in sealed.why


def test_a_segment_the_journal_does_not_know_is_broken(tmp_path: Path):
    path = left_behind(tmp_path, LINE * 3)
    (tmp_path / "audit" / "journal.jsonl").unlink()

    (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.segment) == ("broken", path.name)
    assert "does not know" in sealed.why


def test_a_segment_that_is_being_written_is_left_alone(tmp_path: Path):
    one = segment(tmp_path)
    one.append(LINE)

    assert recovered(tmp_path) == []

    one.seal()


def test_a_link_in_place_of_a_segment_is_not_followed(tmp_path: Path):
    book = journal(tmp_path)
    hot = tmp_path / "audit" / "hot"
    hot.mkdir()
    secret = tmp_path / "elsewhere"
    secret.write_bytes(b"no newline")
    (hot / "seg-x.jsonl").symlink_to(secret)

    with pytest.raises(OSError, match="symbolic"):
        recovered(tmp_path, book)

    assert secret.read_bytes() == b"no newline"


def test_a_pipe_in_place_of_a_segment_is_named_and_holds_up_nobody(tmp_path: Path):
    left_behind(tmp_path, LINE)
    os.mkfifo(tmp_path / "audit" / "hot" / "seg-x.jsonl")

    with pytest.raises(OSError, match=r"no plain file.*seg-x\.jsonl"):
        recovered(tmp_path)


def test_one_that_another_process_just_compacted_is_skipped(tmp_path: Path):
    path = left_behind(tmp_path, LINE)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        assert recovered(tmp_path) == []


def test_a_segment_that_was_just_made_is_never_taken_away(tmp_path: Path):
    """Its maker has not locked it yet when it is looked at for the first time."""
    book = journal(tmp_path)
    hot = tmp_path / "audit" / "hot"
    hot.mkdir()
    done = threading.Event()

    def recovering() -> None:
        while not done.is_set():
            recovered(tmp_path, book)

    threads = [threading.Thread(target=recovering) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(150):
            one = Segment(hot, f"{number:03}")
            assert one.path.exists()
            one.close()
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_what_a_process_was_told_to_have_failed_is_no_record(tmp_path: Path):
    one = segment(tmp_path, records=2)
    one.append(LINE * 2)
    one.append(LINE)
    one.leave()
    kept = one.path.read_bytes()
    with one.path.open("ab") as file:
        file.write(LINE * 5)

    (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.records, sealed.unproved) == ("recovered", 3, 1)
    assert one.path.read_bytes() == kept
    assert one.path.with_name(one.path.name + ".torn").read_bytes() == LINE * 5
    assert recovered(tmp_path) == []


def test_a_segment_left_behind_that_lost_something_is_never_sealed_as_good(tmp_path: Path):
    one = segment(tmp_path)
    one.append(LINE * 3)
    one.leave()
    one.path.write_bytes(one.path.read_bytes()[: -len(LINE)])

    (sealed,) = recovered(tmp_path)

    assert (sealed.proof, sealed.records) == ("broken", 2)
    assert sealed.why == f"{len(LINE)} octets are missing that were acknowledged"


def test_one_that_was_left_before_its_first_record_is_removed(tmp_path: Path):
    one = segment(tmp_path)
    one.prove()
    one.leave()

    assert recovered(tmp_path) == []
    assert not one.path.exists()
