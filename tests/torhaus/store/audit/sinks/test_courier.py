"""Every record arrives, in order, whatever the receiver does."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.torhaus.cli.audit.records_on_disk import record
from tests.torhaus.store.audit.sinks.receivers import QUICK, Running, Scripted, logged, rejected
from torhaus.model.shipping import DeliveryError, Parcel, PartlyError, RefusedError
from torhaus.store.audit.sinks.courier import LONGEST_ASKED
from torhaus.store.audit.sinks.positions import load, shelf


def test_what_is_there_and_what_comes_is_delivered_in_order(tmp_path: Path) -> None:
    first = logged(tmp_path, 1, "a", "b")
    sink = Scripted()

    with Running(tmp_path, sink):
        sink.wait(lambda: sink.taken == ["a", "b"])
        with first.open("ab") as stream:
            stream.write(record(3, "c"))
        sink.wait(lambda: sink.taken == ["a", "b", "c"])
        logged(tmp_path, 2, "d")
        sink.wait(lambda: sink.taken == ["a", "b", "c", "d"])

    assert sink.closed == 1


def test_nothing_is_delivered_again_after_a_restart(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a", "b")
    first, second = Scripted(), Scripted()
    with Running(tmp_path, first):
        first.wait(lambda: len(first.taken) == 2)
    logged(tmp_path, 2, "c")

    with Running(tmp_path, second):
        second.wait(lambda: second.taken == ["c"])

    book = load(tmp_path, "siem")
    assert book is not None
    assert (book.delivered, book.error) == (3, "")


def test_what_is_left_when_it_closes_is_delivered(tmp_path: Path) -> None:
    sink = Scripted()
    running = Running(tmp_path, sink)
    running.courier.leave()
    logged(tmp_path, 1, "a")

    with Running(tmp_path, sink) as other:
        other.end()

    assert sink.taken == ["a"]
    assert other.courier.state().state == "stopped"


def test_a_receiver_that_is_down_gets_everything_later_and_in_order(tmp_path: Path) -> None:
    operations = [f"op{number:03}" for number in range(250)]
    for number in range(5):
        logged(tmp_path, number, *operations[number * 50 : number * 50 + 50])
    sink = Scripted(*[DeliveryError("it is down")] * 8)

    with Running(tmp_path, sink, batch=20) as running:
        sink.wait(lambda: len(sink.batches) == 8)
        down = running.courier.state()
        sink.wait(lambda: len(sink.taken) == 250)

    assert sink.taken == operations
    assert (down.state, down.error, down.behind) == ("failing", "it is down", 250)
    assert max(map(len, sink.batches)) == 20


def test_one_poisoned_record_is_set_aside_and_the_others_arrive(tmp_path: Path) -> None:
    operations = [f"op{number}" for number in range(9)]
    logged(tmp_path, 1, *operations)

    def picky(batch: Sequence[Parcel]) -> None:
        if any(parcel.record.operation == "op5" for parcel in batch):
            raise RefusedError("mapping error")

    sink = Scripted(*[picky] * 100)
    with Running(tmp_path, sink) as running:
        sink.wait(lambda: "op8" in sink.taken)

    assert sink.taken == [each for each in operations if each != "op5"]
    aside = json.loads(rejected(tmp_path))
    assert (aside["record"]["operation"], aside["why"]) == ("op5", "mapping error")
    assert (aside["source"][:4], aside["number"]) == ("seg-", 6)
    assert (running.courier.state().delivered, running.courier.state().refused) == (8, 1)


def test_of_a_part_only_the_rest_is_brought_again(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a", "b", "c", "d")
    sink = Scripted(PartlyError({1: "no"}, (0, 3), 0.0))

    with Running(tmp_path, sink) as running:
        sink.wait(lambda: len(sink.taken) == 2)

    assert sink.batches == [["a", "b", "c", "d"], ["a", "d"]]
    assert json.loads(rejected(tmp_path))["record"]["operation"] == "b"
    assert running.courier.state().delivered == 3


def test_damaged_lines_are_set_aside_and_heads_are_passed_over(tmp_path: Path) -> None:
    path = logged(tmp_path, 1, "a")
    with path.open("ab") as stream:
        stream.write(b'{"checkpoint":{}}\n{"half\xff\n' + record(2, "b"))
    sink = Scripted()

    with Running(tmp_path, sink):
        sink.wait(lambda: sink.taken == ["a", "b"])

    aside = json.loads(rejected(tmp_path))
    assert (aside["line"], aside["number"]) == ('{"half\ufffd', 3)


def test_a_bug_in_a_sink_is_a_failure_and_not_the_end(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    sink = Scripted(ZeroDivisionError("its secret"))

    with Running(tmp_path, sink) as running:
        sink.wait(lambda: sink.taken == ["a"])

    assert running.courier.state().failed == 1
    assert sink.closed == 2


def test_a_second_process_waits_until_the_first_lets_go(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    first, second = Scripted(), Scripted()

    with Running(tmp_path, first) as running:
        first.wait(lambda: first.taken == ["a"])
        with Running(tmp_path, second):
            logged(tmp_path, 2, "b")
            first.wait(lambda: first.taken == ["a", "b"])
            running.end()
            logged(tmp_path, 3, "c")
            second.wait(lambda: second.taken == ["c"])

    assert first.taken == ["a", "b"]


def test_a_damaged_position_stops_this_sink_and_says_what_to_do(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    shelf(tmp_path).mkdir(parents=True)
    (shelf(tmp_path) / "siem.json").write_text("{torn")
    sink = Scripted()

    with Running(tmp_path, sink) as running:
        while not running.courier.state().error:
            assert sink.taken == []
        assert "remove it to have everything delivered again" in running.courier.state().error
        (shelf(tmp_path) / "siem.json").unlink()
        sink.wait(lambda: sink.taken == ["a"])


@pytest.mark.parametrize(
    ("failures", "asked", "seconds"),
    [(1, None, 0.01), (2, None, 0.02), (50, None, 0.05), (1, 7.0, 7.0), (1, 1e9, LONGEST_ASKED)],
)
def test_waits_grow_and_what_the_receiver_asks_for_is_heeded(
    failures: int, asked: float | None, seconds: float
) -> None:
    assert QUICK.wait(failures, asked) == pytest.approx(seconds)
