"""The data directory, as the doctor sees it."""

import fcntl
from pathlib import Path

import pytest

from tests.torhaus.cli.audit.records_on_disk import record, segment
from torhaus.cli.audit.records import directory
from torhaus.cli.doctor.disk import findings
from torhaus.cli.doctor.finding import Level


def levels(data_dir: Path) -> dict[str, Level]:
    return {each.check: each.level for each in findings(data_dir)}


def message(data_dir: Path, check: str) -> str:
    return next(each.message for each in findings(data_dir) if each.check == check)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A healthy data directory."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    (path / "seal.key").write_bytes(bytes(32))
    (path / "seal.key").chmod(0o600)
    segment(directory(path), 1, record(1, "a") + record(2, "b"))
    return path


def test_a_healthy_directory_passes_and_is_not_changed(data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}

    found = levels(data)

    assert set(found.values()) == {Level.PASS}
    assert set(found) == {"data directory", "disk", "seal key", "vault key", "audit log"}
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_directory_that_is_not_there_is_made_later(tmp_path: Path) -> None:
    assert levels(tmp_path / "none") == {"data directory": Level.PASS}


@pytest.mark.parametrize(
    ("mode", "level"),
    [(0o700, Level.PASS), (0o750, Level.WARN), (0o755, Level.WARN), (0o777, Level.FAIL)],
)
def test_a_directory_open_to_others_is_told(data: Path, mode: int, level: Level) -> None:
    data.chmod(mode)

    assert levels(data)["data directory"] is level


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    assert levels(tmp_path / "data") == {"data directory": Level.FAIL}


def test_a_seal_key_that_others_can_read_or_that_is_cut_fails(data: Path) -> None:
    (data / "seal.key").chmod(0o640)
    assert levels(data)["seal key"] is Level.FAIL

    (data / "seal.key").chmod(0o600)
    (data / "seal.key").write_bytes(bytes(31))
    assert levels(data)["seal key"] is Level.FAIL


def test_a_vault_key_that_others_can_read_fails(data: Path) -> None:
    assert levels(data)["vault key"] is Level.PASS
    (data / "vault.key").write_text("x")
    (data / "vault.key").chmod(0o640)
    assert levels(data)["vault key"] is Level.FAIL
    (data / "vault.key").chmod(0o600)
    assert levels(data)["vault key"] is Level.PASS


def test_a_torn_end_is_a_doubt_unless_somebody_is_writing_it(data: Path) -> None:
    torn = segment(directory(data), 2, record(3, "c") + b'{"timest')

    assert levels(data)["audit log"] is Level.WARN
    assert torn.name in message(data, "audit log")
    with torn.open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert levels(data)["audit log"] is Level.PASS


def test_a_damaged_record_fails(data: Path) -> None:
    segment(directory(data), 2, record(3, "c") + b'{"x": 1}\n' + record(4, "d"))

    assert levels(data)["audit log"] is Level.FAIL


def test_records_and_segments_are_counted(data: Path) -> None:
    for number in range(2, 12):
        segment(directory(data), number, record(3, "c"))

    told = message(data, "audit log")

    assert told == "8 records in 11 segments, of which the newest 8 were read whole"
