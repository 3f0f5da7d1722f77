"""`torhaus audit export --subject`."""

import asyncio
import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path

from sqlalchemy import text

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import command, configured, surroundings, torhaus
from torhaus.cli.audit.records import directory
from torhaus.store.state.database import Database

BOB = "bob@example.com"


def logged(at: Path) -> list[bytes]:
    own = record(1, "git_log").replace(b"alice@example.com", BOB.encode())
    about = record(2, "git_show").replace(
        b'"parameters":{}', b'"parameters":{"to":"Bob@example.com"}'
    )
    others = [record(3, "git_show"), record(4, "x").replace(b"alice@", b"notbob@")]
    segment(directory(at / "data"), 1, b"".join((own, about, *others)))
    return [own, about]


def stated(at: Path) -> None:
    async def story() -> None:
        database = Database(None, at / "data")
        await database.open()
        async with database.write() as connection:
            await connection.execute(
                text(
                    "INSERT INTO usage (month, server, tool, email, roles, calls, saved) VALUES "
                    f"('2026-11', 'git', 'git_log', '{BOB}', 'r', 3, 1), "
                    "('2026-11', 'git', 'git_log', 'alice@example.com', 'r', 9, 1)"
                )
            )
        await database.close()

    asyncio.run(story())


def opened(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_holds_records_of_a_person_and_about_him_and_the_states_rows(
    tmp_path: Path,
) -> None:
    wanted = logged(tmp_path)
    stated(tmp_path)

    said = torhaus("audit", "export", "--subject", BOB.upper(), "--out", "bob.zip", at=tmp_path)

    assert said.code == 0, said.err
    files = opened(tmp_path / "bob.zip")
    assert files["records.jsonl"].splitlines(keepends=True) == wanted
    assert [each["calls"] for each in json.loads(files["state/usage.json"])] == [3]
    assert json.loads(files["state/grants.json"]) == []
    manifest = json.loads(files["manifest.json"])
    assert (manifest["subject"], manifest["records"]) == (BOB.upper(), 2)
    assert manifest["state"] == "included"
    assert {each["name"] for each in manifest["files"]} == files.keys() - {"manifest.json"}
    for each in manifest["files"]:
        assert each["sha256"] == hashlib.sha256(files[each["name"]]).hexdigest()
        assert each["octets"] == len(files[each["name"]])
    digest = hashlib.sha256((tmp_path / "bob.zip").read_bytes()).hexdigest()
    assert said.err == f"2 records, SHA-256 {digest}\n"


def test_records_may_be_a_table_and_of_some_days(tmp_path: Path) -> None:
    logged(tmp_path)
    words = ("--subject", BOB, "--format", "csv", "--to", "2001-01-01", "--out", "bob.zip")

    said = torhaus("audit", "export", *words, at=tmp_path)

    files = opened(tmp_path / "bob.zip")
    assert said.code == 0
    assert files["records.csv"].count(b"\r\n") == 1
    assert "-c FILE" in json.loads(files["manifest.json"])["state"]


def test_with_a_configuration_without_a_database_there_are_no_rows(tmp_path: Path) -> None:
    logged(tmp_path)
    configured(tmp_path)

    said = torhaus(
        "audit", "export", "--subject", BOB, "-c", "torhaus.yml", "--out", "b.zip", at=tmp_path
    )

    assert said.code == 0
    manifest = json.loads(opened(tmp_path / "b.zip")["manifest.json"])
    assert manifest["state"] == "included"
    assert [each["name"] for each in manifest["files"]] == ["records.jsonl"]


def test_a_pipe_takes_an_archive(tmp_path: Path) -> None:
    logged(tmp_path)

    done = subprocess.run(
        command("audit", "export", "--subject", BOB),
        cwd=tmp_path,
        env=surroundings(tmp_path, None),
        capture_output=True,
        timeout=120,
        check=True,
    )
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        assert archive.read("records.jsonl").count(b"\n") == 2
