"""The proof of the audit log, as the doctor sees it."""

from pathlib import Path

import msgspec
import pytest

from tests.torhaus.store.audit.journals import journal, sealed
from tests.torhaus.store.audit.logs import edited, head_line, write
from torhaus.cli.doctor.evidence import findings
from torhaus.cli.doctor.finding import Finding, Level
from torhaus.config.settings import Settings
from torhaus.model.auditing import AuditSettings
from torhaus.model.publishing import HeadFile, HeadHook
from torhaus.model.secret import Secret
from torhaus.store.audit.heads import NAME as HEAD
from torhaus.store.audit.heads import keep
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.segments import segments


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "data", 20)
    return tmp_path / "data"


def found(data: Path, *publish: HeadFile | HeadHook) -> dict[str, Finding]:
    settings = Settings(data_dir=data, audit=AuditSettings(publish=publish))
    return {each.check: each for each in findings(settings)}


def evidence(data: Path, *publish: HeadFile | HeadHook) -> Finding:
    return found(data, *publish)["audit evidence"]


def test_a_log_in_order_passes_and_is_not_changed(data: Path):
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}

    each = found(data)

    assert each["audit key"].level is Level.PASS
    assert each["audit evidence"].level is Level.PASS
    assert "are signed and linked" in each["audit evidence"].message
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_directory_that_is_not_there_is_made_later(tmp_path: Path):
    assert found(tmp_path / "none") == {}
    (tmp_path / "data").mkdir()
    assert evidence(tmp_path / "data").level is Level.PASS


def test_a_key_that_others_can_read_fails(data: Path):
    (data / "audit.key").chmod(0o640)

    assert found(data)["audit key"].level is Level.FAIL
    (data / "audit.key").rename(data / "other")
    (data / "audit.key").symlink_to(data / "other")
    assert "not a plain file" in found(data)["audit key"].message


def test_a_changed_journal_fails(data: Path):
    edited(data / "audit" / JOURNAL, lambda x: [x[0], *x[2:]])

    assert evidence(data).level is Level.FAIL
    assert "line 2 is number 3" in evidence(data).message


def test_a_cut_journal_fails_against_a_head_here_or_in_a_file_that_is_published(data: Path):
    elsewhere = data.parent / "head.json"
    keep(elsewhere, head_line(data))
    edited(data / "audit" / JOURNAL, lambda x: x[:-2])
    segments(data / "audit" / "hot")[-1].unlink()
    assert evidence(data).level is Level.PASS

    assert "2 lines are gone" in evidence(data, HeadFile(path=str(elsewhere))).message
    elsewhere.rename(data / "audit" / HEAD)
    assert "2 lines are gone" in evidence(data).message
    (data / "audit" / HEAD).write_text("{}")
    assert "cannot be used" in evidence(data).message


def test_missing_and_broken_segments_fail(data: Path):
    segments(data / "audit" / "hot")[0].unlink()
    assert "1 segment missing" in evidence(data).message

    journal(data).append(sealed("seg-x.jsonl", proof="broken", why="line 3 was changed"))
    assert "seg-x.jsonl is not what was written: line 3" in evidence(data).message


def test_a_public_key_that_is_none_fails(data: Path):
    (public,) = (data / "audit" / "keys").iterdir()
    public.write_text("no key")

    assert evidence(data).level is Level.FAIL


def test_who_keeps_heads_is_told(data: Path):
    hook = HeadHook(url="https://keeper.example.org", secret=Secret("x"))
    outside = HeadFile(path=str(data.parent / "head.json"))

    assert found(data)["published heads"].level is Level.WARN
    inside = found(data, HeadFile(path=str(data / "head.json")))["published heads"]
    assert (inside.level, "goes with it" in inside.message) == (Level.WARN, True)
    both = found(data, outside, hook)["published heads"]
    assert both == msgspec.structs.replace(both, level=Level.PASS)
    assert both.message == "kept by 1 file and 1 webhook"
