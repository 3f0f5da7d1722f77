from pathlib import Path

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.admin.oauth.lobby import IP, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.acts import Done, Refusal
from torhaus.admin.oauth.acts import RevokeToken
from torhaus.identity.keys import digest


def test_what_was_given_back_twice_was_over_already(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        for token, refresh in ((tokens.access, False), (tokens.refresh, True)):
            act = RevokeToken(digest(token), refresh)

            assert isinstance(await at.admin.perform(ALICE, act, IP), Done)
            again = await at.admin.perform(ALICE, act, IP)

            assert isinstance(again, Refusal)
            assert again.code == "not_found"

    run(play(tmp_path, story))
