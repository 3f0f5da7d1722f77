from pathlib import Path

from tests.torhaus.admin.oauth.lobby import CURSOR, OTHER
from tests.torhaus.cast import run
from tests.torhaus.web.oauth.browser import House, play
from tests.torhaus.web.oauth.test_token import code, told


def test_what_is_given_back_is_over_and_nobody_learns_what_was_there(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        tokens = told(await at.token(await code(at)))

        for token in ("nonsense", tokens["access_token"], tokens["access_token"]):
            seen = await at.post("/revoke", {"token": token, "client_id": CURSOR.id})
            assert (seen.status, seen.text) == (200, "{}")

        assert not await at.lobby.lives(tokens["access_token"])

    run(play(tmp_path, story))


def test_who_holds_a_token_may_end_it_without_a_name(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        tokens = told(await at.token(await code(at)))

        await at.post("/revoke", {"token": tokens["refresh_token"]})

        assert not await at.lobby.lives(tokens["access_token"])

    run(play(tmp_path, story))


def test_another_client_ends_nothing(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.lobby.register(OTHER)
        tokens = told(await at.token(await code(at)))

        seen = await at.post("/revoke", {"token": tokens["access_token"], "client_id": OTHER.id})
        gone = await at.post("/revoke", {"token": tokens["access_token"], "client_id": "dcr_9"})

        assert (seen.status, gone.status) == (200, 401)
        assert await at.lobby.lives(tokens["access_token"])
        assert (await at.post("/revoke", {"client_id": CURSOR.id})).status == 400

    run(play(tmp_path, story))
