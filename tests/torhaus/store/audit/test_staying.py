"""Which segments nobody may remove yet."""

from pathlib import Path

from tests.torhaus.store.audit.sinks.receivers import Running, Scripted, logged
from tests.torhaus.store.audit.test_settling import dead
from torhaus.model.auditing import AuditSettings
from torhaus.model.shipping import SinkSettings, StdoutTarget
from torhaus.store.audit.staying import staying

SIEM = AuditSettings(sinks=(SinkSettings(name="siem", target=StdoutTarget()),))


def test_a_segment_stays_until_its_sink_has_it(tmp_path: Path) -> None:
    path = logged(tmp_path, 1, "a")
    now = path.stat().st_mtime
    before = staying(tmp_path, SIEM, now)
    sink = Scripted()
    with Running(tmp_path, sink):
        sink.wait(lambda: sink.taken == ["a"])

    assert (before, staying(tmp_path, SIEM, now)) == ({path.name}, set())


def test_a_segment_stays_while_a_call_in_it_may_be_without_an_end(tmp_path: Path) -> None:
    path = logged(tmp_path, 1, "a")
    dead(tmp_path / "running", "req_old")

    assert staying(tmp_path, AuditSettings(), path.stat().st_mtime) == {path.name}


def test_without_either_none_stays(tmp_path: Path) -> None:
    path = logged(tmp_path, 1, "a")

    assert staying(tmp_path, AuditSettings(), path.stat().st_mtime) == set()
