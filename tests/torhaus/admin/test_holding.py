from pathlib import Path

import structlog

from tests.torhaus.admin.hall import Hall
from tests.torhaus.admin.ringed import Gateway
from tests.torhaus.admin.vaulted import play_with
from torhaus.admin.holding import EVERY, Holding
from torhaus.model.rings import Holder


async def holders(hall: Hall) -> list[Holder]:
    async with hall.office.write() as desk:
        return await desk.rings.holders(0.0)


def test_a_gateway_says_what_it_has_at_once_and_then_from_time_to_time(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        began, keys = hall.clock.now, one.ring.ids()

        await one.holding.turn()
        hall.clock.now += EVERY / 2
        await one.holding.turn()
        assert await holders(hall) == [Holder("one", "host-one", keys, began)]

        hall.clock.now += EVERY / 2
        await one.holding.turn()
        assert await holders(hall) == [Holder("one", "host-one", keys, began + EVERY)]
        await one.holding.close()
        assert await holders(hall) == []

    play_with(tmp_path, story)


def test_a_key_that_comes_is_read_and_told_at_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path, "two")
        await two.holding.turn()
        new = one.ring.fresh(one.ring.ids()[0])

        await two.holding.turn()

        (found,) = await holders(hall)
        assert found.keys == one.ring.ids()
        assert new in found.keys

    play_with(tmp_path, story)


def test_alone_on_its_database_it_tells_nobody(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        alone = Holding(hall.means, one.ring, id="one", name="host", shared=False)

        await alone.turn()
        await alone.close()

        assert await holders(hall) == []

    play_with(tmp_path, story)


def test_a_broken_file_is_said_once_and_the_keys_at_hand_are_used(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        keys, good = one.ring.ids(), one.ring.path.read_text()
        one.ring.path.write_text("broken")
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                await one.holding.turn()
            one.ring.path.write_text(good)
            await one.holding.turn()

        assert [each["event"] for each in logs] == ["vault.keys.unreadable"]
        assert one.ring.ids() == keys
        assert (await holders(hall))[0].keys == keys

    play_with(tmp_path, story)


def test_a_gateway_without_the_key_that_seals_says_so_in_the_log(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, other = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path / "other", "two")
        async with hall.office.write() as desk:
            await one.safe.key(desk, 1.0)
        with structlog.testing.capture_logs() as logs:
            for each in (one, other):
                await each.holding.turn()

        assert [(each["event"], each["key"]) for each in logs] == [
            ("vault.key.missing", one.ring.ids()[0])
        ]

    play_with(tmp_path, story)
