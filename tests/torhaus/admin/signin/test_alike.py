import os
from pathlib import Path

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.cast import run
from torhaus.admin.signin.alike import LASTS, alike
from torhaus.mcp.seal import Sealer

ONE, OTHER = Sealer(b"1" * 32, os.urandom), Sealer(b"2" * 32, os.urandom)


def test_gateways_with_one_key_are_alike_and_one_with_another_is_not(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        now = at.clock()

        assert await alike(at.office, ONE, now)
        assert await alike(at.office, ONE, now + LASTS - 1)
        assert not await alike(at.office, OTHER, now + LASTS)
        assert await alike(at.office, ONE, now + LASTS)

    run(play(tmp_path, story))


def test_a_key_that_nobody_has_any_more_is_forgotten(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        now = at.clock()
        assert await alike(at.office, ONE, now)

        assert not await alike(at.office, OTHER, now + LASTS - 1)
        assert await alike(at.office, OTHER, now + LASTS)
        assert not await alike(at.office, ONE, now + LASTS)

    run(play(tmp_path, story))
