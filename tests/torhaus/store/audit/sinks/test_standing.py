"""How a sink stands, seen from another process."""

from pathlib import Path

from tests.torhaus.store.audit.sinks.receivers import Running, Scripted, logged
from torhaus.model.shipping import DeliveryError
from torhaus.store.audit.sinks.standing import standing


def test_a_sink_that_never_delivered_is_behind_with_everything(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a", "b")
    logged(tmp_path, 2, "c")

    found = standing(tmp_path, "siem")

    assert (found.behind, found.delivered) == (3, 0)
    assert found.oldest == "2026-01-01T00:00:00.000Z"


def test_what_was_delivered_is_not_behind(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a", "b")
    sink = Scripted()
    with Running(tmp_path, sink):
        sink.wait(lambda: len(sink.taken) == 2)
    logged(tmp_path, 2, "c", "d")

    found = standing(tmp_path, "siem")

    assert (found.behind, found.delivered, found.state) == (2, 2, "idle")


def test_a_failure_is_known_to_other_processes(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    sink = Scripted(*[DeliveryError("it is down")] * 1000)

    with Running(tmp_path, sink):
        sink.wait(lambda: len(sink.batches) > 2)
        found = standing(tmp_path, "siem")

    assert (found.state, found.error, found.behind) == ("failing", "it is down", 1)
    assert found.failed_at > 0


def test_without_a_log_nothing_is_behind(tmp_path: Path) -> None:
    found = standing(tmp_path, "siem")

    assert (found.behind, found.oldest) == (0, "")
