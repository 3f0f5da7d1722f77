"""`torhaus audit export`."""

import csv
import hashlib
from pathlib import Path

import duckdb

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import torhaus
from torhaus.cli.audit.records import directory


def logged(at: Path, *content: bytes) -> None:
    segment(directory(at / "data"), 1, b"".join(content))


def test_without_options_it_is_the_whole_log_as_it_was_written(tmp_path: Path) -> None:
    logged(tmp_path, b'{"segment":{}}\n', record(2, "git_show"), record(1, "git_log"))

    said = torhaus("audit", "export", at=tmp_path)

    assert said.code == 0
    assert said.out.encode() == record(1, "git_log") + record(2, "git_show")
    digest = hashlib.sha256(said.out.encode()).hexdigest()
    assert said.err == f"2 records, SHA-256 {digest}\n"


def test_csv_is_safe_to_open(tmp_path: Path) -> None:
    logged(tmp_path, record(1, '=cmd|"/c calc"!A1\\n'), record(2, "git_show"))

    said = torhaus(
        "audit", "export", "--format", "csv", "--out", "log.csv", "--to", "2026-01-01", at=tmp_path
    )

    assert said.code == 0
    raw = (tmp_path / "log.csv").read_bytes()
    rows = list(csv.DictReader(raw.decode().splitlines()))
    assert raw.count(b"\r\n") == 3
    assert [row["operation"] for row in rows] == ['\'=cmd|"/c calc"!A1\\n', "git_show"]


def test_parquet_can_be_asked(tmp_path: Path) -> None:
    logged(tmp_path, record(1, "git_log"), record(2, "git_show"))
    words = ("--format", "parquet", "--out", "log.parquet", "--operation", "git_show")

    said = torhaus("audit", "export", *words, at=tmp_path)

    assert said.err.startswith("1 record, SHA-256 ")
    path = tmp_path / "log.parquet"
    assert duckdb.sql(f"SELECT operation FROM '{path}'").fetchall() == [("git_show",)]


def test_a_file_is_replaced_with_force_only(tmp_path: Path) -> None:
    logged(tmp_path, record(1, "git_log"))
    (tmp_path / "log").write_text("mine")

    refused = torhaus("audit", "export", "--out", "log", at=tmp_path)
    forced = torhaus("audit", "export", "--out", "log", "--force", at=tmp_path)

    assert (refused.code, refused.err) == (
        1,
        "There is a file log already; --force replaces it.\n",
    )
    assert forced.code == 0
    assert (tmp_path / "log").read_bytes() == record(1, "git_log")


def test_damaged_lines_are_told(tmp_path: Path) -> None:
    logged(tmp_path, b"garbage\n", record(1, "git_log"))

    said = torhaus("audit", "export", at=tmp_path)

    assert said.out.encode() == record(1, "git_log")
    assert "1 damaged line left out" in said.err


def test_wrong_use_is_told(tmp_path: Path) -> None:
    nowhere = torhaus("audit", "export", at=tmp_path)
    no_day = torhaus("audit", "export", "--from", "yesterday", at=tmp_path)

    assert nowhere.code == 1
    assert nowhere.err.startswith("There is no audit log in data/audit/hot")
    assert no_day.code == 2
    assert no_day.err.startswith("--from: write 2025-10-20 or")
