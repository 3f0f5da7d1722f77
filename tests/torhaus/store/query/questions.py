"""Questions, put to a real sandbox."""

import asyncio
from typing import Any

from tests.torhaus.store.query.log import AuditLog
from torhaus.model.asking import Question, Table, Unanswered
from torhaus.store.query.sandbox import SandboxRecords


def ask(log: AuditLog, sql: str, **more: Any) -> Table | Unanswered:
    memory = more.pop("memory", 512 << 20)
    records = SandboxRecords(log.files().find, memory=memory)
    return asyncio.run(records.ask(Question(sql=sql, **more)))


def rows(log: AuditLog, sql: str, **more: Any) -> list[tuple[Any, ...]]:
    found = ask(log, sql, **more)
    assert isinstance(found, Table), found
    return list(found.rows)


def refusal(log: AuditLog, sql: str, **more: Any) -> Unanswered:
    found = ask(log, sql, **more)
    assert isinstance(found, Unanswered), found
    return found
