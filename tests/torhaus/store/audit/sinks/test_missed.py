"""A sink that was behind for longer than segments wait, with real compaction."""

import time
from pathlib import Path

from structlog.testing import capture_logs

from tests.torhaus.store.audit.sinks.receivers import Running, Scripted
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, record, seal
from torhaus.model.evidence import Deleted
from torhaus.model.keeping import After, Retention
from torhaus.model.shipping import DeliveryError
from torhaus.store.audit.sinks.positions import awaited, load
from torhaus.store.audit.tiers.compacting import compact, merge
from torhaus.store.audit.tiers.upkeep import Upkeep

RETENTION = Retention(hot=30 * DAY, warm=180 * DAY, cold=730 * DAY, after=After.DELETE)


def sealed(data: Path, name: str, *operations: str, first: int = 0) -> Path:
    records = [
        record(MORNING + first + number, first + number, operation=each)
        for number, each in enumerate(operations)
    ]
    return seal(data, name, records)


def compacted(data: Path, *, patience: float) -> None:
    """As a gateway's caretaker does, a good while later."""

    def waiting(_then: float) -> set[str]:
        return awaited(data / "audit", ["siem"], patience, time.time() + 1)  # files are of today

    made = Upkeep(
        depot(data),
        retention=RETENTION,
        bucket=None,
        grace=0.0,
        awaited=waiting,
    )
    made.hurry()
    assert made.round(MORNING + 2 * DAY)
    assert made.standing.trouble is None


def test_segments_stay_until_they_are_delivered(tmp_path: Path) -> None:
    path = sealed(tmp_path, "1", "a", "b")

    compacted(tmp_path, patience=1e12)
    assert path.exists()
    sink = Scripted()
    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["a", "b"])
    compacted(tmp_path, patience=1e12)

    assert not path.exists()


def test_what_was_removed_undelivered_comes_from_day_files(tmp_path: Path) -> None:
    sealed(tmp_path, "1", *[f"a{number}" for number in range(7)])
    sealed(tmp_path, "2", *[f"b{number}" for number in range(7)], first=100)
    down = Scripted(*[DeliveryError("it is down")] * 10_000)
    with Running(tmp_path / "audit", down):
        down.wait(lambda: len(down.batches) > 1)
    compacted(tmp_path, patience=0)
    assert not [*(tmp_path / "audit" / "hot").glob("seg-*.jsonl")]
    sealed(tmp_path, "3", "c", first=200)

    up = Scripted()
    with capture_logs() as logs, Running(tmp_path / "audit", up, batch=3):
        up.wait(lambda: "c" in up.taken)

    expected = [*(f"a{number}" for number in range(7)), *(f"b{number}" for number in range(7))]
    assert up.taken == [*expected, "c"]
    assert [each["event"] for each in logs].count("audit.sink_from_day_file") == 2


def test_what_was_delivered_before_is_not_brought_again(tmp_path: Path) -> None:
    sealed(tmp_path, "1", "a", "b")
    first = Scripted()
    with Running(tmp_path / "audit", first):
        first.wait(lambda: first.taken == ["a", "b"])
    compacted(tmp_path, patience=0)
    sealed(tmp_path, "2", "c", first=100)

    second = Scripted()
    with Running(tmp_path / "audit", second):
        second.wait(lambda: second.taken == ["c"])

    book = load(tmp_path / "audit", "siem")
    assert book is not None
    assert [*book.segments] == ["seg-2.jsonl"]


def test_a_new_sink_does_not_get_what_was_compacted_before_it_was_named(tmp_path: Path) -> None:
    sealed(tmp_path, "1", "a")
    compacted(tmp_path, patience=0)
    sealed(tmp_path, "2", "b", first=100)
    sink = Scripted()

    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["b"])

    assert sink.batches == [["b"]]


def test_a_day_file_that_is_elsewhere_is_told_as_missed(tmp_path: Path) -> None:
    sealed(tmp_path, "1", "a")
    down = Scripted(*[DeliveryError("it is down")] * 10_000)
    with Running(tmp_path / "audit", down):
        down.wait(lambda: len(down.batches) > 1)
    compacted(tmp_path, patience=0)
    for path in (tmp_path / "audit" / "hot").rglob("*.parquet"):
        path.unlink()
    sealed(tmp_path, "2", "b", first=100)

    sink = Scripted()
    with capture_logs() as logs, Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["b"])

    assert "audit.sink_missed" in [each["event"] for each in logs]


def test_what_was_merged_into_the_file_of_a_day_is_brought_too(tmp_path: Path) -> None:
    made = depot(tmp_path)
    for number, name in enumerate("abc"):
        sealed(tmp_path, str(number), name, first=number)
        down = Scripted(*[DeliveryError("it is down")] * 10_000)
        with Running(tmp_path / "audit", down):
            down.wait(lambda: len(down.batches) > 1)  # noqa: B023 -- at once
        assert compact(made) == {}
        assert merge(made, MORNING + 2 * DAY) == (number > 0)
    compacted(tmp_path, patience=0)
    assert not [*(tmp_path / "audit" / "hot").glob("seg-*.jsonl")]

    sink = Scripted()
    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: {"a", "b", "c"} <= {*sink.taken})


def test_what_has_ended_before_its_turn_is_told_as_missed(tmp_path: Path) -> None:
    sealed(tmp_path, "1", "a")
    down = Scripted(*[DeliveryError("it is down")] * 10_000)
    with Running(tmp_path / "audit", down):
        down.wait(lambda: len(down.batches) > 1)
    compacted(tmp_path, patience=0)
    made = depot(tmp_path)
    for name in [*made.catalogue().files]:
        made.journal.append(Deleted(file=name, why="its time was over"))
    sealed(tmp_path, "2", "b", first=100)

    sink = Scripted()
    with capture_logs() as logs, Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["b"])

    assert "audit.sink_missed" in [each["event"] for each in logs]
