"""`torhaus audit verify`."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import torhaus
from tests.torhaus.store.audit.logs import edited, head_line, lines, write
from torhaus.store.audit.heads import NAME as HEAD
from torhaus.store.audit.heads import keep
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.segments import segments


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("log") / "data"
    write(data, 20)
    keep(data / "audit" / HEAD, head_line(data))
    return data


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "data")
    return tmp_path / "data"


def test_a_log_in_order_is_said_to_be(data: Path) -> None:
    (data / "audit.key").unlink()

    said = torhaus("audit", "verify", at=data.parent)

    assert said.code == 0
    assert "20 records in" in said.out
    assert f"In order. Newest line of {JOURNAL}: {len(lines(data))} " in said.out
    assert "No head from elsewhere was compared" in said.out


def test_a_changed_record_is_named_with_its_segment_and_line(data: Path) -> None:
    path = segments(data / "audit" / "hot")[0]
    edited(path, lambda x: [*x[:3], x[3].replace(b"alice", b"malice"), *x[4:]])

    said = torhaus("audit", "verify", at=data.parent)

    assert said.code == 1
    assert f"hot/{path.name}, line 4  was changed" in said.out
    assert "NOT in order" in said.err


def test_json_has_every_fault(data: Path) -> None:
    path = segments(data / "audit" / "hot")[0]
    path.unlink()

    said = torhaus("audit", "verify", "--json", "--data-dir", str(data), at=data.parent)

    found = json.loads(said.out)
    assert said.code == 1
    assert found["ok"] is False
    assert found["report"]["troubles"][0]["where"] == f"hot/{path.name}"
    assert found["report"]["lines"] == len(lines(data))


def test_a_head_that_was_kept_elsewhere_shows_a_cut(data: Path) -> None:
    shutil.copy(data / "audit" / HEAD, data.parent / "kept.json")
    (data / "audit" / HEAD).unlink()
    segments(data / "audit" / "hot")[-1].unlink()
    edited(data / "audit" / JOURNAL, lambda x: x[:-2])
    assert torhaus("audit", "verify", at=data.parent).code == 0

    said = torhaus("audit", "verify", "--head", "kept.json", at=data.parent)

    assert said.code == 1
    assert "2 lines are gone (kept.json, " in said.out


def test_a_head_that_was_changed_is_a_fault_itself(data: Path) -> None:
    (data.parent / "kept.json").write_text("{}")

    said = torhaus("audit", "verify", "--head", "kept.json", at=data.parent)

    assert said.code == 1
    assert "this head cannot be used" in said.out


def test_a_key_that_was_kept_elsewhere_is_the_only_one_believed(data: Path, tmp_path: Path) -> None:
    (public,) = (data / "audit" / "keys").iterdir()
    shutil.copy(public, data.parent / "ours.pub")
    write(tmp_path / "other", 1)
    (another,) = (tmp_path / "other" / "audit" / "keys").iterdir()

    assert torhaus("audit", "verify", "--key", "ours.pub", at=data.parent).code == 0
    said = torhaus("audit", "verify", "--key", str(another), at=data.parent)

    assert said.code == 1
    assert "unknown key" in said.out


def test_since_takes_days_and_times(data: Path) -> None:
    for each in ("2025-10-21", "2025-10-20T14:24Z", "2025-10-20T14:23:12"):
        said = torhaus("audit", "verify", "--since", each, at=data.parent)
        assert "left out by --since" in said.out, each
    assert "left out" not in torhaus("audit", "verify", "--since", "2025-10-20", at=data.parent).out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--since", "yesterday"], 2, "--since takes a day"),
        (["--data-dir", "nowhere"], 1, "no audit log in nowhere"),
        (["--head", "nowhere"], 1, "cannot be read: No such file"),
        (["--key", "nowhere"], 1, "cannot be read: No such file"),
        (["--key", "no.pub"], 1, "does not hold an Ed25519 public key"),
    ],
)
def test_what_cannot_be_done_is_said(data: Path, words: list[str], code: int, told: str) -> None:
    (data.parent / "no.pub").write_text("no key")

    said = torhaus("audit", "verify", *words, at=data.parent)

    assert said.code == code
    assert told in said.err


def test_a_head_that_is_missing_is_noticed(data: Path) -> None:
    (data / "audit" / HEAD).unlink()
    os.mkfifo(data / "audit" / HEAD)

    said = torhaus("audit", "verify", at=data.parent)

    assert said.code == 0
    assert "it is missing: whatever it told of may be cut off" in said.out
