"""`torhaus audit tail`."""

import json
import signal
from pathlib import Path

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import Running, torhaus
from torhaus.cli.audit.records import directory


def test_the_last_records_are_a_line_each(tmp_path: Path) -> None:
    where = directory(tmp_path / "data")
    segment(where, 1, record(1, "git_log") + record(2, "git_show"))

    said = torhaus("audit", "tail", "-n", "1", at=tmp_path)

    assert said.code == 0
    assert said.out == "2026-01-01 00:00:02 | alice@example.com | git.git_show | \n"


def test_json_is_the_records_themselves(tmp_path: Path) -> None:
    segment(directory(tmp_path / "other"), 1, record(1, "git_log"))

    said = torhaus("audit", "tail", "--json", "--data-dir", "other", at=tmp_path)

    assert json.loads(said.out)["operation"] == "git_log"


def test_following_goes_on_in_the_next_segment_until_it_is_stopped(tmp_path: Path) -> None:
    where = directory(tmp_path / "data")
    first = segment(where, 1, record(1, "git_log"))

    with Running("audit", "tail", "-f", at=tmp_path) as running:
        running.wait_for("git.git_log")
        with first.open("ab") as stream:
            stream.write(record(2, "git_show"))
        running.wait_for("git.git_show")
        segment(where, 2, record(3, "git_diff"))
        out = running.wait_for("git.git_diff")

        assert running.stop(signal.SIGINT) == 0
    assert out.count("\n") == 3


def test_a_damaged_line_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    segment(directory(tmp_path / "data"), 1, b'{"nonsense\x1b": 1}\n' + record(2, "git_show"))

    said = torhaus("audit", "tail", at=tmp_path)

    assert said.code == 0
    assert [line[:9] for line in said.out.splitlines()] == ["(a damage", "2026-01-0"]


def test_without_an_audit_log_it_says_where_it_looked(tmp_path: Path) -> None:
    said = torhaus("audit", "tail", at=tmp_path)

    assert said.code == 1
    assert said.err.startswith("There is no audit log in data/audit/hot")


def test_calls_about_to_go_are_shown_when_asked_for(tmp_path: Path) -> None:
    about_to_go = record(1, "git_commit")[:-2] + b',"phase":"intent"}\n'
    gone = record(1, "git_commit")[:-2] + b',"phase":"outcome"}\n'
    where = directory(tmp_path / "data")
    segment(where, 1, record(0, "git_log") + (about_to_go + gone) * 3)

    few = torhaus("audit", "tail", "-n", "3", "--json", at=tmp_path)
    every = torhaus("audit", "tail", "-n", "3", "--all", "--json", at=tmp_path)

    assert [json.loads(line).get("phase") for line in few.out.splitlines()] == ["outcome"] * 3
    assert [json.loads(line).get("phase") for line in every.out.splitlines()] == [
        "outcome",
        "intent",
        "outcome",
    ]
