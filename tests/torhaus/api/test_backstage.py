from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, Hall, play
from tests.torhaus.cast import run
from torhaus.admin.acts import CancelApproval
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller
from torhaus.api.problems import ProblemError


def test_an_act_gives_its_result_or_a_problem(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        backstage = Backstage(
            admin=hall.admin, books=hall.books, rules=lambda: hall.rules, clock=hall.clock
        )
        asked = await hall.asked()
        alice = Caller(ALICE, "192.0.2.7")

        done = await backstage.act(alice, CancelApproval(asked.id))
        with pytest.raises(ProblemError) as raised:
            await backstage.act(alice, CancelApproval(asked.id))

        assert done.id == asked.id
        assert raised.value.status == 409
        assert backstage.view(alice).now == hall.clock()

    run(play(tmp_path, story))
