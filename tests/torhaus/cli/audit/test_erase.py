"""`torhaus audit erase`; with a gateway it is in tests/stories/test_forgotten.py."""

import json
import os
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import configured, torhaus
from torhaus.cli.audit.offline import account
from torhaus.store.audit.pseudonyms import NAME, People, mapping

ALICE = "alice@example.com"


def records(home: Path) -> list[dict[str, object]]:
    lines = [
        line
        for path in sorted((home / "data" / "audit" / "hot").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [found for line in lines if "request_id" in (found := json.loads(line))]


def test_without_pseudonyms_it_says_why_nobody_can_be_forgotten(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("audit", "erase", "--subject", ALICE, at=tmp_path)

    assert said.code == 1
    assert "audit_logs.pseudonyms: off" in said.err
    assert not (tmp_path / "data" / "audit").exists()


def test_it_works_without_a_gateway_and_leaves_a_record_that_names_nobody(tmp_path: Path) -> None:
    configured(tmp_path)
    token = People(tmp_path / "data").pseudonym(ALICE)

    said = torhaus("audit", "erase", "--subject", ALICE.upper(), "--reason", ALICE, at=tmp_path)

    assert said.code == 0, said.err
    assert mapping(tmp_path / "data") == {}
    (record,) = records(tmp_path)
    assert record["operation"] == "audit.person_forgotten"
    assert record["parameters"] == {"subject": token, "reason": token}
    assert ALICE not in json.dumps(record)


def test_a_file_that_cannot_be_read_forgets_nobody(tmp_path: Path) -> None:
    configured(tmp_path)
    People(tmp_path / "data").pseudonym(ALICE)
    (tmp_path / "data" / "seal.key").write_bytes(bytes(32))

    said = torhaus("audit", "erase", "--subject", ALICE, at=tmp_path)

    assert said.code == 1
    assert f"{NAME} does not fit seal.key" in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_account_than_the_gateways_forgets_nobody(tmp_path: Path) -> None:
    configured(tmp_path)
    People(tmp_path / "data").pseudonym(ALICE)
    os.chown(tmp_path / "data" / "audit", 12345, 12345)

    said = torhaus("audit", "erase", "--subject", ALICE, at=tmp_path)

    assert said.code == 1
    assert "belongs to #12345" in said.err
    assert ALICE in mapping(tmp_path / "data").values()


def test_who_forgets_is_the_account_and_not_what_the_environment_says(tmp_path: Path) -> None:
    configured(tmp_path)
    People(tmp_path / "data").pseudonym(ALICE)

    said_by = {"USER": "mallory", "LOGNAME": "mallory"}
    said = torhaus("audit", "erase", "--subject", ALICE, at=tmp_path, env=said_by)

    assert said.code == 0, said.err
    (record,) = records(tmp_path)
    assert f"{account()} on this machine" in json.dumps(record)
    assert "mallory" not in json.dumps(record)
