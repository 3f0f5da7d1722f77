"""What a question may not do, each tried on a real process; and what it may."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.torhaus.store.query.escapes import (
    ANSWERED,
    ESCAPES,
    READS,
    SEVEN,
    everything,
    filled,
    tried,
)
from tests.torhaus.store.query.log import AuditLog, call
from tests.torhaus.store.query.questions import ask, refusal, rows
from torhaus.model.asking import Question, Table, Unanswered
from torhaus.store.query.files import AuditFiles, Found
from torhaus.store.query.sandbox import SandboxRecords, held_back


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return tried(AuditLog(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize("attempt", [*SEVEN, *READS])
def test_an_escape_is_refused_and_leaves_everything_as_it_was(log: AuditLog, attempt: str) -> None:
    """Some; `tests/soak` tries all of them so, and `test_worker.py` without a process."""
    before = everything(log)
    sql = ESCAPES[attempt]

    found = refusal(log, filled(sql, log), seconds=60)

    assert found.code in ("refused", "failed")
    assert "{" in sql or str(log.directory) not in found.why
    assert everything(log) == before


@pytest.mark.parametrize("what", list(ANSWERED)[::4])
def test_what_only_reads_records_is_answered(log: AuditLog, what: str) -> None:
    sql, expected = ANSWERED[what]

    assert rows(log, sql) == expected


def test_the_columns_can_be_looked_at(log: AuditLog) -> None:
    names = [row[0] for row in rows(log, "DESCRIBE audit_logs")]

    assert names[:5] == ["timestamp", "request_id", "user", "user_role", "user_ip"]
    assert "repo" in names


def test_a_query_without_an_end_ends_at_its_deadline(log: AuditLog) -> None:
    found = refusal(log, "SELECT count(*) FROM range(10000000) a, range(10000000) b", seconds=0.5)

    assert (found.code, found.why) == ("timeout", "no answer within 0.5 seconds")


def test_a_recursion_without_an_end_does_too(log: AuditLog) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 0 FROM n) SELECT max(i) FROM n"

    assert refusal(log, sql, seconds=0.5).code == "timeout"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT array_agg(i) FROM range(100000000) t(i)",
        "SELECT repeat('x', 100000000) FROM range(1000)",
        "SELECT count(DISTINCT i) FROM range(100000000) t(i)",
        "SELECT length(repeat(repeat('x', 1000000), 900))",  # one value: DuckDB does not count it
    ],
)
def test_a_memory_bomb_goes_off_inside(log: AuditLog, sql: str) -> None:
    assert refusal(log, sql, memory=64 << 20, seconds=90).code == "memory"


def test_a_long_answer_is_cut_and_says_so(log: AuditLog) -> None:
    found = ask(log, "SELECT * FROM range(1000000)", rows=10)

    assert isinstance(found, Table)
    assert (len(found.rows), found.more) == (10, True)


def test_a_wide_answer_is_cut_and_says_so(log: AuditLog) -> None:
    found = ask(log, "SELECT repeat('x', 1000) FROM range(100)", octets=10_000)

    assert isinstance(found, Table)
    assert (len(found.rows), found.more) == (9, True)


def test_one_row_that_is_too_large_is_no_answer(log: AuditLog) -> None:
    assert refusal(log, "SELECT repeat('x', 100000)", octets=10_000).code == "too_large"


def test_values_are_bound_and_never_sql(log: AuditLog) -> None:
    name = "x' OR true; DROP VIEW audit_logs; --"
    sql = "SELECT count(*) FROM audit_logs WHERE user = $name OR request_id = $id"

    assert rows(log, sql, parameters={"name": name, "id": "r1"}) == [(1,)]


def test_more_questions_than_may_wait_are_told_so(log: AuditLog) -> None:
    async def crowd() -> list[str]:
        records = SandboxRecords(AuditFiles(log.audit).find, at_once=1, waiting=1)
        asked = (records.ask(Question(sql="SELECT 1")) for _ in range(4))
        found = await asyncio.gather(*asked)
        return ["rows" if isinstance(each, Table) else each.code for each in found]

    assert sorted(asyncio.run(crowd())) == ["busy", "busy", "rows", "rows"]


def test_who_goes_away_takes_his_process_along(log: AuditLog) -> None:
    before = children()  # servers of other tests

    async def leaving() -> None:
        records = SandboxRecords(AuditFiles(log.audit).find, at_once=1, waiting=0)
        sql = "SELECT count(*) FROM range(10000000) a, range(10000000) b"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await records.ask(Question(sql=sql, seconds=60))
        assert set(children()) <= set(before)
        assert isinstance(await records.ask(Question(sql="SELECT 1")), Table)

    asyncio.run(leaving())


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.live(call("r1", 0.1)).unlink()

    found = refusal(log, "SELECT 1")

    assert (found.code, found.fix) == ("unavailable", "run torhaus audit verify")


def test_a_machine_with_landlock_holds_everything_back() -> None:
    said = held_back()

    assert said is None or "Landlock" in said


def test_an_empty_log_has_its_columns(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)

    assert rows(log, "SELECT count(*), max(user) FROM audit_logs") == [(0, None)]
    assert isinstance(ask(log, "SELECT parameters FROM audit_records"), Table)


def test_a_bucket_that_takes_its_time_does_not_take_the_question_s(log: AuditLog) -> None:
    done = threading.Event()

    def slow(_first: str, _last: str) -> Found:
        done.wait(5)
        return Found((), ())

    async def asked() -> Table | Unanswered:
        try:
            return await SandboxRecords(slow).ask(Question(sql="SELECT 1", seconds=0.1))
        finally:
            done.set()

    found = asyncio.run(asked())

    assert isinstance(found, Unanswered)
    assert (found.code, found.fix) == ("timeout", "ask again in a while, or for fewer days")


def test_a_bucket_that_does_not_answer_takes_no_thread_of_others() -> None:
    done = threading.Event()

    def slow(_first: str, _last: str) -> Found:
        done.wait(30)
        return Found((), ())

    async def asked() -> int:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        records = SandboxRecords(slow)
        try:
            await records.ask(Question(sql="SELECT 1", seconds=0.1))
            return await asyncio.wait_for(asyncio.to_thread(int), 20)
        finally:
            done.set()

    assert asyncio.run(asked()) == 0


def test_a_value_that_is_nested_without_end_is_no_answer(log: AuditLog) -> None:
    sql = "SELECT (repeat('[', 900) || repeat(']', 900))::JSON AS deep"

    found = ask(log, sql)

    assert isinstance(found, Table) or found.code in ("failed", "memory")


def test_questions_beside_attacks_are_answered(log: AuditLog) -> None:
    attacks = (
        "SELECT count(*) FROM range(10000000) a, range(10000000) b",
        "SELECT array_agg(i) FROM range(100000000) t(i)",
        "SELECT * FROM read_text('/proc/self/environ')",
    )

    async def asked() -> list[Table | Unanswered]:
        records = SandboxRecords(log.files().find, at_once=4, memory=64 << 20)
        questions = [Question(sql=sql, seconds=2) for sql in attacks]
        questions.append(Question(sql="SELECT count(*) FROM audit_logs", seconds=60))
        return await asyncio.gather(*map(records.ask, questions))

    *attacked, counted = asyncio.run(asked())

    assert all(isinstance(each, Unanswered) for each in attacked)
    assert isinstance(counted, Table)
    assert counted.rows == ((4,),)
