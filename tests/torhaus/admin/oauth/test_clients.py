from pathlib import Path

import msgspec

from tests.torhaus.admin.oauth.lobby import CURSOR, IP, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.acts import Done, Refusal
from torhaus.admin.oauth.acts import STRANGER, RegisterClient


def numbered(number: int) -> RegisterClient:
    client = msgspec.structs.replace(CURSOR, id=f"dcr_{number}")
    return RegisterClient(client, 3)


def test_a_registration_is_kept_and_recorded(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.register(CURSOR)

        async with at.hall.office.read() as desk:
            found = await desk.clients.get(CURSOR.id)
        assert found == msgspec.structs.replace(CURSOR, created=at.hall.clock())
        assert at.ends() == [("client.registered", "success")]
        assert at.hall.parameters()["client_name"] == "Cursor"

    run(play(tmp_path, story))


def test_the_oldest_that_nobody_let_in_makes_room(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        for number in range(1, 6):
            assert isinstance(await at.admin.perform(STRANGER, numbered(number), IP), Done)

        async with at.hall.office.read() as desk:
            assert await desk.clients.count() == 3
            assert await desk.clients.get("dcr_2") is None
            assert await desk.clients.get("dcr_5") is not None

    run(play(tmp_path, story))


def test_where_all_are_in_use_no_more_are_taken(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        for number in range(1, 4):
            await at.admin.perform(STRANGER, numbered(number), IP)
        async with at.hall.office.write() as desk:
            for number in range(1, 4):
                await desk.clients.use(f"dcr_{number}", 9.0)

        refused = await at.admin.perform(STRANGER, numbered(4), IP)

        assert isinstance(refused, Refusal)
        assert refused.code == "temporarily_unavailable"

    run(play(tmp_path, story))
