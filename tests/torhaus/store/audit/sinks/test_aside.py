"""Records that a receiver will never take."""

import json
from pathlib import Path

from tests.torhaus.cli.audit.records_on_disk import record
from torhaus.store.audit.sinks.aside import MOST_SAID, Aside


def test_a_record_is_kept_with_the_answer(tmp_path: Path) -> None:
    aside = Aside(tmp_path, "siem")

    aside.put("seg-1.jsonl", 7, record(1, "git_log")[:-1], "mapping error\n" * 1000)
    aside.put("seg-1.jsonl", 8, b"\xff garbage", "damaged")

    path = tmp_path / "siem.rejected.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["record"]["operation"] == "git_log"
    assert (first["source"], first["number"], len(first["why"])) == ("seg-1.jsonl", 7, MOST_SAID)
    assert second["line"] == "\ufffd garbage"
    assert path.stat().st_mode & 0o777 == 0o600


def test_half_a_line_of_a_crash_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "siem.rejected.jsonl"
    path.write_bytes(b'{"source": "seg')

    Aside(tmp_path, "siem").put("seg-1.jsonl", 7, b"{}", "no")

    assert json.loads(path.read_text().splitlines()[1])["number"] == 7
