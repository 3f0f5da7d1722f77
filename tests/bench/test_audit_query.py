"""The bench of audit queries: its made-up records are such as a gateway writes."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench.audit_query import LEDGER, questions, report, stock

from torhaus.model.asking import Question, Table
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

NOW, DAYS = datetime.now(UTC), 35


def test_every_question_finds_something(tmp_path: Path) -> None:
    """Over fewer days and records than the bench has."""
    stock(tmp_path, NOW, days=DAYS, records=DAYS * 500, live=10)
    sql = "SELECT count(*), count(DISTINCT repo) > 40, count(repo) > 0 FROM audit_logs"

    async def asked() -> None:
        records = SandboxRecords(AuditFiles(tmp_path / "audit").find)
        found = await records.ask(Question(sql=sql))
        assert isinstance(found, Table), found
        assert found.rows == ((DAYS * 500 + 10, True, True),)
        for name, (question, _) in questions(NOW).items():
            answer = await records.ask(question)
            assert isinstance(answer, Table), (name, answer)
            assert answer.rows, name

    asyncio.run(asked())


def test_a_question_that_takes_too_long_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert report({"quick": (0.1, LEDGER)}) is True
    assert report({"quick": (0.1, LEDGER), "slow": (2.1, LEDGER)}) is False

    assert "FAIL slow" in capsys.readouterr().out
