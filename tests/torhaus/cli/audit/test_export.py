"""`torhaus audit export`."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import torhaus
from tests.torhaus.store.audit.s3 import server
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, lines, seal
from tests.torhaus.store.audit.tiers.stock import record as made
from torhaus.cli.audit.records import directory
from torhaus.model.keeping import Retention, Tier
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.moving import move
from torhaus.store.audit.tiers.upkeep import Upkeep


def logged(at: Path, *content: bytes) -> None:
    segment(directory(at / "data"), 1, b"".join(content))


def decoded(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def exports(at: Path) -> list[dict[str, Any]]:
    """What records say of exports, the oldest first."""
    found = torhaus("audit", "export", "--operation", "audit.exported", at=at).out
    return [each["parameters"] for each in decoded(found)]


def test_an_export_leaves_a_record_of_what_was_taken(tmp_path: Path) -> None:
    logged(tmp_path, record(2, "git_show"), record(1, "git_log"))

    torhaus("audit", "export", "--operation", "git_log", "--from", "2025-01-01", at=tmp_path)
    said = torhaus("audit", "export", "--format", "csv", "--out", "log.csv", at=tmp_path)
    about = torhaus("audit", "export", "--subject", "a@b.co", "--out", "a.zip", at=tmp_path)

    first, second, third = exports(tmp_path)
    since = "2025-01-01T00:00:00.000Z"
    asked = {"operation": "git_log", "since": since}
    assert first == {**asked, "format": "jsonl", "records": 1}
    digest = hashlib.sha256((tmp_path / "log.csv").read_bytes()).hexdigest()
    assert second == {"format": "csv", "records": 3, "sha256": digest}
    assert (third["subject"], third["format"]) == ("a@b.co", "jsonl")
    assert third["sha256"] in about.err
    assert digest in said.err


def test_an_export_that_cannot_be_recorded_says_so(tmp_path: Path) -> None:
    logged(tmp_path, record(1, "git_log"))
    (tmp_path / "data" / "audit.key").write_text("no key")

    said = torhaus("audit", "export", at=tmp_path)

    assert said.out.encode() == record(1, "git_log")
    assert "This export is not in the audit log:" in said.err


def test_what_was_not_written_is_not_recorded(tmp_path: Path) -> None:
    logged(tmp_path, record(1, "git_log"))
    (tmp_path / "log").write_text("mine")

    assert torhaus("audit", "export", "--out", "log", at=tmp_path).code == 1

    assert exports(tmp_path) == []


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


def test_records_of_day_files_and_segments_come_once_each(tmp_path: Path) -> None:
    data = tmp_path / "data"
    records = [made(MORNING + number, number) for number in range(20)]
    seal(data, "1", records[:10])
    keep = Upkeep(depot(data), Retention(), None, grace=0.0, awaited=lambda _now: {"seg-1.jsonl"})
    keep.hurry()
    assert keep.round(MORNING + 2 * DAY)
    seal(data, "2", records[10:])

    said = torhaus("audit", "export", at=tmp_path)

    assert [*(data / "audit" / "hot").rglob("*.parquet")]
    assert (data / "audit" / "hot" / "seg-1.jsonl").exists()
    assert decoded(said.out) == decoded(lines(records).decode())


def test_what_is_missing_is_told_and_no_success(tmp_path: Path) -> None:
    seal(tmp_path / "data", "1", [made(MORNING, 1)])
    seal(tmp_path / "data", "2", [made(MORNING, 2)]).unlink()

    said = torhaus("audit", "export", at=tmp_path)

    assert said.code == 1
    assert decoded(said.out) == decoded(lines([made(MORNING, 1)]).decode())
    assert "seg-2.jsonl is missing: see torhaus audit verify" in said.err


def test_day_files_in_a_bucket_are_fetched_where_the_file_names_it(tmp_path: Path) -> None:
    with server() as s3:
        bucket = s3.bucket()
        here = depot(tmp_path / "data", bucket)
        seal(tmp_path / "data", "1", [made(MORNING, 1)])
        compact(here)
        (file,) = here.catalogue().files.values()
        move(here, file, Tier.WARM)
        (tmp_path / "torhaus.yml").write_text(
            f"storage: {{audit: {{bucket: {bucket.name}, endpoint: '{bucket.endpoint}', "
            "region: us-east-1, prefix: team/, access_key_id: key, secret_access_key: secret, "
            "plaintext: loopback}}"
        )

        without = torhaus("audit", "export", at=tmp_path)
        named = torhaus("audit", "export", "-c", "torhaus.yml", at=tmp_path)

    assert (without.code, without.out) == (1, "")
    assert "Left out: 1 day skipped: in a bucket" in without.err
    assert named.code == 0, named.err
    first, *others = decoded(named.out)
    assert [first] == decoded(lines([made(MORNING, 1)]).decode())
    assert [each["operation"] for each in others] == ["audit.exported"]  # the one before
