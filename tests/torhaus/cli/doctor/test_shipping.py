"""Whether audit records reach the other places they are meant for."""

from pathlib import Path

from tests.torhaus.store.audit.sinks.receivers import Running, Scripted, logged
from torhaus.cli.doctor.finding import Finding, Level
from torhaus.cli.doctor.shipping import findings
from torhaus.config.load import load_text
from torhaus.model.shipping import DeliveryError, RefusedError
from torhaus.store.audit.sinks.positions import shelf

CONFIG = "audit_logs: {sinks: [{name: siem, stdout: true}]}"


def found(data: Path) -> Finding:
    settings = load_text(CONFIG, "torhaus.yml", {}, data).settings
    (finding,) = findings(settings)
    return finding


def test_a_sink_that_has_everything_passes(tmp_path: Path) -> None:
    logged(tmp_path / "audit", 1, "a")
    sink = Scripted()
    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["a"])

    assert (found(tmp_path).level, found(tmp_path).message) == (
        Level.PASS,
        "siem has 1 record, and is no records behind",
    )


def test_a_sink_that_fails_is_a_doubt_with_a_way_to_try(tmp_path: Path) -> None:
    logged(tmp_path / "audit", 1, "a")
    sink = Scripted(*[DeliveryError("it is down")] * 1000)
    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: len(sink.batches) > 1)

    assert found(tmp_path).level is Level.WARN
    assert found(tmp_path).message == "siem fails: it is down; 1 record behind"
    assert "torhaus audit sinks --test siem" in found(tmp_path).fix


def test_a_sink_that_is_late_is_a_doubt(tmp_path: Path) -> None:
    logged(tmp_path / "audit", 1, "a")

    assert found(tmp_path).message == "siem is 1 record behind"


def test_records_set_aside_are_a_doubt(tmp_path: Path) -> None:
    logged(tmp_path / "audit", 1, "a", "b")
    sink = Scripted(RefusedError("no"), RefusedError("no"))
    with Running(tmp_path / "audit", sink):
        sink.wait(lambda: sink.taken == ["b"])

    assert found(tmp_path).message == "siem refused 1 record"
    assert found(tmp_path).fix.endswith("siem.rejected.jsonl")


def test_a_damaged_position_fails(tmp_path: Path) -> None:
    shelf(tmp_path / "audit").mkdir(parents=True)
    (shelf(tmp_path / "audit") / "siem.json").write_text("{")

    assert found(tmp_path).level is Level.FAIL
    assert found(tmp_path).fix == "remove it to have everything delivered again"
