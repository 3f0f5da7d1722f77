"""Every escape from the sandbox of audit queries, tried on a real process.

The everyday run tries some of them so, and all of them without a process.
"""

import pytest

from tests.torhaus.store.query.escapes import ESCAPES, everything, filled, tried
from tests.torhaus.store.query.log import AuditLog
from tests.torhaus.store.query.questions import refusal, rows


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return tried(AuditLog(tmp_path_factory.mktemp("data")))


@pytest.mark.soak
@pytest.mark.parametrize("attempt", ESCAPES)
def test_an_escape_is_refused_and_leaves_everything_as_it_was(log: AuditLog, attempt: str) -> None:
    before = everything(log)

    found = refusal(log, filled(ESCAPES[attempt], log), seconds=10)

    assert found.code in ("refused", "failed")
    assert everything(log) == before


@pytest.mark.soak
def test_afterwards_questions_are_answered_as_before(log: AuditLog) -> None:
    assert rows(log, "SELECT count(*) FROM audit_logs") == [(4,)]
