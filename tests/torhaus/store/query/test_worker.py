"""The gates of DuckDB and of the parse tree, without a process around them."""

from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.store.query.escapes import ANSWERED, ESCAPES, everything, filled, tried
from tests.torhaus.store.query.log import AuditLog
from torhaus.audit.saved import SHIPPED
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.job import Failure, Job, Reply, Rows
from torhaus.store.query.worker import answer


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return tried(AuditLog(tmp_path_factory.mktemp("data")))


def asked(log: AuditLog, sql: str, **more: Any) -> Reply:
    found = AuditFiles(log.audit).find("", "")
    bounds = {"rows": 100, "octets": 1 << 20, "seconds": 5.0, "memory": 128 << 20, **more}
    job = Job(sql=sql, segments=found.segments, days=found.days, **bounds)
    return answer(job, 0)


@pytest.mark.parametrize("attempt", ESCAPES)
def test_the_gates_alone_hold_an_escape_back(log: AuditLog, attempt: str) -> None:
    before = everything(log)

    found = asked(log, filled(ESCAPES[attempt], log))

    assert isinstance(found, Failure)
    assert found.code in ("refused", "failed")
    assert everything(log) == before


@pytest.mark.parametrize("what", ANSWERED)
def test_what_only_reads_records_is_answered(log: AuditLog, what: str) -> None:
    sql, expected = ANSWERED[what]

    found = asked(log, sql)

    assert isinstance(found, Rows)
    assert list(found.rows) == expected


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT 1; SELECT 2", "ask one SELECT, not 2 statements"),
        ("INSTALL httpfs", "ask a SELECT: LOAD is none"),
        ("WITH x AS (COPY (SELECT 1) TO 'x') FROM x", "COPY is not a way to ask: only SELECT is"),
        ("SELECT getenv('HOME')", "the function getenv is not available here"),
        (
            "FROM read_text('x')",
            "read_text() cannot be read from: read audit_logs or audit_records",
        ),
        ("FROM users", "there is no 'users' to read: read audit_logs or audit_records"),
    ],
)
def test_a_refusal_says_what_may_not_be_asked(log: AuditLog, sql: str, sentence: str) -> None:
    assert asked(log, sql) == Failure(code="refused", why=sentence)


def test_a_mistake_in_the_sql_is_explained(log: AuditLog) -> None:
    found = asked(log, "SELECT usr FROM audit_logs")

    assert isinstance(found, Failure)
    assert found.code == "failed"
    assert '"usr" not found' in found.why


def test_columns_of_one_name_are_told_apart(log: AuditLog) -> None:
    found = asked(log, "SELECT 1 AS a, 2 AS a, 3 AS a")

    assert isinstance(found, Rows)
    assert len(set(found.columns)) == 3
    assert list(found.rows) == [(1, 2, 3)]


def test_records_have_the_shape_that_is_written(log: AuditLog) -> None:
    found = asked(log, "SELECT * FROM audit_records WHERE request_id = 'r1'")

    assert isinstance(found, Rows)
    told = dict(zip(found.columns, found.rows[0], strict=True))
    assert told["user"] == {"email": "alice@example.org", "role": "developer", "ip": "10.0.0.1"}
    assert told["parameters"] == {"repo": "myorg/web"}
    assert told["result"]["items"] == 12


def test_a_file_that_is_gone_is_not_a_mistake_in_the_sql(log: AuditLog, tmp_path: Path) -> None:
    job = Job(
        sql="SELECT count(*) FROM audit_logs",
        segments=(),
        days=(str(tmp_path / "gone.parquet"),),
        rows=1,
        octets=1000,
        seconds=5,
    )

    assert answer(job, 0) == Failure(code="vanished", why="a file was moved on while it was asked")


def test_a_file_that_is_damaged_is_named_without_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 nothing of the kind PAR1")
    job = Job(sql="FROM audit_logs", segments=(), days=(str(path),), rows=1, octets=1000, seconds=5)

    found = answer(job, 0)

    assert isinstance(found, Failure)
    assert "bad.parquet" in found.why
    assert str(tmp_path) not in found.why


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_question_is_answered(log: AuditLog, name: str) -> None:
    assert isinstance(asked(log, SHIPPED[name].sql), Rows)
