import asyncio
import os
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import BOB, DANA, Hall, until
from tests.torhaus.admin.vaulted import NEW, OLD, PUT, ROTATE, play_with
from torhaus.admin.acts import Refusal
from torhaus.admin.perform import Admin
from torhaus.admin.rekeying import Rekeyed
from torhaus.admin.vaulting import Changed
from torhaus.api.door import Caller
from torhaus.config.settings import Settings
from torhaus.model.rings import Holder
from torhaus.model.secret import Secret
from torhaus.redact.guard import Guard
from torhaus.store.keyring import NAME
from torhaus.strongroom import Strongroom
from torhaus.upstream.wayout import WayOut


def test_a_change_goes_through_to_what_calls_use_and_what_is_masked(tmp_path: Path) -> None:
    forgotten: list[tuple[str, str]] = []

    async def story(hall: Hall) -> None:
        guard = Guard()
        room = Strongroom(
            hall.means,
            Settings(data_dir=tmp_path),
            guard,
            hall.ways,
            lambda server, person: forgotten.append((server, person)),
            WayOut(Settings),
        )
        admin = Admin(hall.means, lambda effect: room.changed(effect.result), room.works)
        await admin.perform(BOB, PUT)
        (first,) = await room.purse.look("github", "")
        done = await admin.perform(BOB, ROTATE)

        assert first.content.value == OLD
        assert room.purse.known("github", "") is None
        assert [each.content.value for each in await room.purse.look("github", "")] == [NEW, OLD]
        assert isinstance(done.result, Changed)
        assert forgotten == [("github", "")] * 2
        for secret in (OLD, NEW, (tmp_path / NAME).read_text().strip()):
            assert secret not in guard.text(f"it said {secret}")
        assert len(await room.rows()) == 2

        old = (tmp_path / NAME).read_text()
        rekeyed = await room.rekey(Caller(DANA, ""))
        assert isinstance(rekeyed, Rekeyed)
        assert rekeyed.wrapped == 2
        new = (tmp_path / NAME).read_text().splitlines()[0]
        assert new not in old
        assert new not in guard.text(f"it said {new}")
        assert [each.content.value for each in await room.purse.look("github", "")] == [NEW, OLD]
        assert not isinstance(await room.rekey(Caller(DANA, "")), Refusal)
        assert old.strip() not in (tmp_path / NAME).read_text()

    play_with(tmp_path, story)


@pytest.mark.skipif("TORHAUS_KEYS" in os.environ, reason="keys come from the environment here")
def test_its_key_is_made_beside_the_data(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        found, out = Settings(data_dir=tmp_path), WayOut(Settings)
        Strongroom(hall.means, found, Guard(), hall.ways, lambda *_: None, out)

        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600

    play_with(tmp_path, story)


def test_other_gateways_hear_which_keys_it_has_until_it_closes(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        settings = Settings(data_dir=tmp_path, state_url=Secret("postgresql://x@127.0.0.1/x"))
        room = Strongroom(
            hall.means, settings, Guard(), hall.ways, lambda *_: None, WayOut(Settings)
        )

        async def holders() -> list[Holder]:
            async with hall.office.write() as desk:
                return await desk.rings.holders(0.0)

        running = asyncio.create_task(room.run())
        await until(lambda: room.holding._told is not None)
        assert [each.id for each in await holders()] == [room.holding.id]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await room.close()
        assert await holders() == []

    play_with(tmp_path, story)
