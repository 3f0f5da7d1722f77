import asyncio
from pathlib import Path

from structlog.testing import capture_logs

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import until
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, record, seal
from tests.torhaus.witnesses import MemoryLedger
from torhaus.config.settings import Settings
from torhaus.model.evidence import Held
from torhaus.model.keeping import After, Retention
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.tiers.storehouse import Storehouse


def test_a_gateway_compacts_ends_what_is_old_and_keeps_what_is_held(tmp_path: Path) -> None:
    """The records are of last year, and nothing but the clock of this machine says so."""
    for number in range(2):
        seal(tmp_path, f"{number}", [record(MORNING + number * DAY, number)])
    settings = Settings(data_dir=tmp_path, retention=Retention(hot=30 * DAY, after=After.DELETE))
    ledger = MemoryLedger()

    async def story() -> None:
        house = Storehouse(settings, journal(tmp_path), ledger, lambda: "adm_1")
        await house.vault.hold(
            Held(hold="h", first_day="2025-10-21", last_day="2025-10-21", by="dana", why="case")
        )
        house.start()
        await until(lambda: [each.records for each in house.standing().tiers.values()][:1] == [1])
        (left,) = JournalReader(tmp_path / "audit").now().files.values()
        assert left.written.day == "2025-10-21"
        assert house.copies.local([left])[0].is_file()
        await house.close()

    with capture_logs():
        asyncio.run(story())

    assert [each.operation for each in ledger.durable] == ["audit.deleted"]
