"""`torhaus audit tail`."""

import json
import signal
from pathlib import Path

import msgspec

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import Running, torhaus
from torhaus.audit.line import read
from torhaus.cli.audit.records import directory
from torhaus.store.audit.pseudonyms import People


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


def used(second: int, operation: str, credential: str) -> bytes:
    made = read(record(second, operation))
    assert made is not None
    return msgspec.json.encode(msgspec.structs.replace(made, credential=credential)) + b"\n"


def test_only_what_was_done_with_a_credential_is_shown_and_it_is_looked_for_far_back(
    tmp_path: Path,
) -> None:
    others = b"".join(record(3, "git_diff") for _ in range(3000))
    first = used(1, "git_log", "key:adm_1") + used(2, "git_show", "key:adm_12") + others
    segment(directory(tmp_path / "data"), 1, first)

    said = torhaus("audit", "tail", "--credential", "key:adm_1", at=tmp_path)

    assert said.out == "2026-01-01 00:00:01 | alice@example.com | git.git_log | \n"


def test_a_credential_is_found_under_its_pseudonym(tmp_path: Path) -> None:
    people = People(tmp_path / "data")
    path = segment(
        directory(tmp_path / "data"),
        1,
        used(1, "git_log", people.credential("alice@example.com", "file-key:1")),
    )

    with Running(
        "audit", "tail", "-f", "--json", "--credential", "file-key:1", at=tmp_path
    ) as running:
        running.wait_for("git_log")
        later = people.credential("bob@example.com", "file-key:1")
        with path.open("ab") as stream:
            stream.write(used(2, "git_show", people.credential("bob@example.com", "file-key:2")))
            stream.write(used(3, "git_diff", later))
        out = running.wait_for("git_diff")
        running.stop(signal.SIGINT)

    told = [json.loads(line) for line in out.splitlines()]
    assert [(each["operation"], each["credential"]) for each in told] == [
        ("git_log", "file-key:1"),
        ("git_diff", "file-key:1"),
    ]
