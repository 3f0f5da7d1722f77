"""Questions while segments become day files, day files one, and what they replace goes."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from tests.torhaus.store.audit.tiers.stock import MORNING, depot, record, seal
from torhaus.model.asking import Question, Table
from torhaus.store.audit.tiers.compacting import compact, merge
from torhaus.store.audit.tiers.sweeping import Sweeper
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

EACH, HALF_AN_HOUR = 40, 1800.0
COUNT = "SELECT count(*), count(DISTINCT request_id) FROM audit_logs"


def more(home: Path, number: int) -> None:
    """A sealed segment whose records are of two days."""
    first = number * EACH
    records = [record(MORNING + at * HALF_AN_HOUR, at) for at in range(first, first + EACH)]
    seal(home, f"{number}", records)


@pytest.mark.soak
def test_no_record_is_counted_twice_or_lost_while_files_change(tmp_path: Path) -> None:
    here = depot(tmp_path, None)
    done = threading.Event()
    more(tmp_path, 0)

    def work() -> None:
        while not done.wait(0.05):
            compact(here)
            Sweeper(0).disk(here, time.time())
            merge(here, time.time())
            Sweeper(0).disk(here, time.time())

    async def ask() -> None:
        records = SandboxRecords(AuditFiles(here.audit).find)
        for number in range(1, 16):
            await asyncio.to_thread(more, tmp_path, number)
            every = (number + 1) * EACH
            for found in await asyncio.gather(*(records.ask(Question(sql=COUNT)) for _ in "ab")):
                assert isinstance(found, Table), found
                assert found.rows == ((every, every),)

    working = threading.Thread(target=work)
    working.start()
    try:
        asyncio.run(ask())
    finally:
        done.set()
        working.join()
    assert here.catalogue().compacted != {}
    assert here.catalogue().replaced != {}
