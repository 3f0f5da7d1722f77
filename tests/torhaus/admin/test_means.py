from pathlib import Path

import pytest

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.cast import run
from torhaus.audit.acts import HOUSE, Act, act_record
from torhaus.model.ports import LedgerError


def test_a_note_waits_until_it_is_durable(tmp_path: Path) -> None:
    record = act_record(Act(operation="x"), HOUSE, id="1", at=0.0, rule="r", reason="")

    async def story(hall: Hall) -> None:
        await hall.means.note(record)
        assert hall.ledger.durable == [record]

        hall.ledger.refuses = True
        with pytest.raises(LedgerError):
            await hall.means.note(record)

    run(play(tmp_path, story))
