from ipaddress import ip_network
from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import Hall, hall
from tests.torhaus.cast import run, sealer
from tests.torhaus.web.oauth.browser import Desk, no_sign_in
from tests.torhaus.web.visits import FRONT, ask
from torhaus.authority import Authority
from torhaus.config.settings import Settings
from torhaus.upstream.wayout import WayOut

RESOURCE = "/.well-known/oauth-protected-resource"


def test_it_follows_the_settings_in_force(tmp_path: Path) -> None:
    async def story() -> None:
        async with hall(tmp_path) as made:
            await followed(made)

    async def followed(made: Hall) -> None:
        settings = [Settings()]
        found = Authority(
            made.means, sealer(), lambda: settings[0], lambda: 4711, WayOut(lambda: settings[0])
        )

        assert found.origins().of("evil.example") == "http://127.0.0.1:4711"
        first = found._fetch()
        assert found._fetch() is first
        settings[0] = msgspec.structs.replace(
            settings[0], public_url="https://gw.example", egress=(ip_network("10.0.0.0/8"),)
        )
        assert found.origins().of("evil.example") == "https://gw.example"
        assert found._fetch() is not first

    run(story())


def test_its_addresses_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with hall(tmp_path) as made:
            found = Authority(made.means, sealer(), Settings, lambda: 4711, WayOut(Settings))
            told = found.routes(made.admin, FRONT, Desk(), no_sign_in, lambda _ip, _reason: None)

            paths = {str(getattr(each, "path", "")) for each in told}

            assert {"/authorize", "/token", "/register", "/revoke", RESOURCE} <= paths
            (document,) = [each for each in told if getattr(each, "path", "") == RESOURCE]
            seen = await ask(document.app, "GET", RESOURCE, b"", {})
            assert seen.status == 200

    run(story())
