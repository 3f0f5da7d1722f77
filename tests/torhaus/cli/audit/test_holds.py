"""`torhaus audit holds` and `restore`, against a running gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import keeping, said
from tests.torhaus.cli.terminal import CONFIG, KEY
from torhaus.store.audit.journal import JournalReader

ADMIN = "ada-secret-key-0123456789"
EVERYTHING = f"""
  - {{email: ada@example.com, role: admin, api_keys: [{ADMIN}]}}
roles:
  admin: {{permissions: ["*"]}}
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with keeping(tmp_path_factory.mktemp("kept"), CONFIG.rstrip("\n") + EVERYTHING) as running:
        yield running


def holds(data: Path) -> list[str]:
    return [*JournalReader(data / "audit").now().holds]


def test_a_hold_is_added_listed_and_released(gate: Gate) -> None:
    span = ("--from", "2025-10-01", "--to", "2025-10-31")

    made = said(gate, "audit", "holds", "add", *span, "--reason", "case 7", key=ADMIN)
    (id,) = holds(gate.data)
    listed = said(gate, "audit", "holds", "list", key=ADMIN)
    gone = said(gate, "audit", "holds", "release", id, "--reason", "closed", key=ADMIN)

    assert made.code == 0, made.err
    assert (
        made.out == f"{id}: nothing of 2025-10-01 to 2025-10-31 is deleted until it is released.\n"
    )
    assert listed.out.splitlines()[1].split()[:4] == [
        id,
        "2025-10-01",
        "2025-10-31",
        "ada@example.com",
    ]
    assert (
        gone.out == "2025-10-01 to 2025-10-31 may be deleted again, as audit_logs.retention says.\n"
    )
    assert holds(gate.data) == []
    assert said(gate, "audit", "holds", "list", key=ADMIN).out.startswith("No legal holds")
    tail = said(gate, "audit", "tail", "-n", "3")
    assert "torhaus.audit.held" in tail.out
    assert "torhaus.audit.released" in tail.out


def test_what_is_not_cold_needs_no_restore(gate: Gate) -> None:
    span = ("--from", "2025-10-01", "--to", "2025-10-31")

    asked = said(gate, "audit", "restore", *span, key=ADMIN)
    listed = said(gate, "audit", "restore", key=ADMIN)

    assert (asked.code, asked.out.partition(":")[0]) == (0, "Nothing of these days is cold")
    assert "0 of 0" in listed.out


def test_others_may_not_and_mistakes_are_told(gate: Gate) -> None:
    span = ("--from", "2025-10-01", "--to", "2025-10-31", "--reason", "x")

    no = said(gate, "audit", "holds", "add", *span, key=KEY)
    half = said(gate, "audit", "restore", "--from", "2025-10-01", key=ADMIN)
    unknown = said(gate, "audit", "holds", "release", "adm_x", "--reason", "x", key=ADMIN)

    assert (no.code, "admin permission on every server" in no.err) == (1, True)
    assert (half.code, half.err) == (2, "--from and --to go together\n")
    assert (unknown.code, "no hold 'adm_x'" in unknown.err) == (1, True)
