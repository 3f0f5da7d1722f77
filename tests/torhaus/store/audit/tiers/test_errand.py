import stat
import threading
from pathlib import Path

import pytest

from tests.torhaus.store.audit.tiers.stock import MORNING, lines, record
from tests.torhaus.store.audit.tiers.test_convert import folder, source
from torhaus.store.audit.tiers.depot import UpkeepError
from torhaus.store.audit.tiers.errand import Errand
from torhaus.store.audit.tiers.order import Order


def order(tmp_path: Path, count: int = 1) -> Order:
    text = lines(record(MORNING + n, n) for n in range(count))
    return Order(folder=folder(tmp_path), segments=(source(tmp_path, "a", text, count),))


def test_an_order_is_carried_out_in_another_process(tmp_path: Path) -> None:
    made = Errand()(order(tmp_path))

    assert [each.records for each in made.drafts] == [1]
    assert stat.S_IMODE(Path(made.drafts[0].path).stat().st_mode) == 0o600


def test_what_goes_wrong_there_is_told_here(tmp_path: Path) -> None:
    asked = order(tmp_path)
    Path(asked.folder).rmdir()

    with pytest.raises(UpkeepError, match="compaction failed: FileNotFoundError"):
        Errand()(asked)


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    with pytest.raises(UpkeepError, match="took longer"):
        Errand(patience=0.001)(order(tmp_path))


def test_it_can_be_stopped_while_it_works(tmp_path: Path) -> None:
    errand = Errand()
    asked = order(tmp_path, 20_000)

    def stop() -> None:
        while errand._running is None:
            threading.Event().wait(0.002)
        errand.stop()

    threading.Thread(target=stop).start()
    with pytest.raises(UpkeepError, match="compaction failed: exit code -9"):
        errand(asked)
    with pytest.raises(UpkeepError, match="the gateway stops"):
        errand(asked)
