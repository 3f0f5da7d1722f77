from pathlib import Path

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.web.oauth.browser import House, play
from torhaus.model.views import EVERYTHING, View


def test_tokens_can_be_for_servers_and_views_and_for_all_of_them_by_no_name(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        rules = at.lobby.hall.rules
        views = {"": EVERYTHING, "team": View(name="team")}
        at.lobby.hall.rules = msgspec.structs.replace(rules, views=views)

        assert at.oauth.names() == {"github", "sentry", "team"}

    run(play(tmp_path, story))
