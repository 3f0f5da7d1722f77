from pathlib import Path

from starlette.applications import Starlette

from tests.torhaus.admin.hall import ALICE, hall, rules
from tests.torhaus.admin.vaulted import personal
from tests.torhaus.cast import run, sealer
from tests.torhaus.web.visits import FRONT, PAGES, ask
from torhaus.admin.live import LiveIndex
from torhaus.admin.oauth.acts import GiveConsent
from torhaus.admin.perform import WORKS, Admin
from torhaus.admin.signin.acts import Fresh, SignIn
from torhaus.config.settings import Settings
from torhaus.foyer import Foyer
from torhaus.identity.keys import SESSION, digest, mint
from torhaus.upstream.wayout import WayOut
from torhaus.web.front import Front


def test_people_and_their_programs_come_in_at_addresses_of_their_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with hall(tmp_path) as made:
            foyer = Foyer(made.means, sealer(), Settings, lambda: 4711, WayOut(Settings))

            reception = foyer.reception(made.admin, FRONT, LiveIndex(made.office))
            told = foyer.routes(made.admin, FRONT, reception, lambda _ip, _reason: None)

            asked = [(each.path, method) for each in told for method in each.methods or ()]
            assert len(asked) == len(set(asked))
            assert {("/login", "GET"), ("/authorize", "POST"), ("/token", "POST")} <= set(asked)
            assert {SignIn, GiveConsent} <= set(foyer.works)
            assert set(foyer.works).isdisjoint(WORKS)

    run(story())


def test_the_link_for_the_first_administrator_is_there_while_nobody_administers(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with hall(tmp_path) as made:
            foyer = Foyer(made.means, sealer(), Settings, lambda: 4711, WayOut(Settings))
            assert await foyer.first_link("http://gw") is None
            foyer.reception(made.admin, FRONT, LiveIndex(made.office))
            assert await foyer.first_link("http://gw") is None

            made.rules = rules(ALICE, keys={})
            found = await foyer.first_link("http://gw")

            assert found is not None
            assert found.startswith("http://gw/setup/")

    run(story())


def test_my_servers_are_those_that_want_an_account_of_mine(tmp_path: Path) -> None:
    async def story() -> None:
        async with hall(tmp_path) as made:
            made.rules = rules(servers={"github": personal()})
            front = Front(pages=PAGES, look=lambda _scope: None, origin=lambda: "https://gw")
            foyer = Foyer(made.means, sealer(), Settings, lambda: 4711, WayOut(Settings))
            index = LiveIndex(made.office)
            admin = Admin(made.means, index.happened, {**WORKS, **foyer.works})
            reception = foyer.reception(admin, front, index)
            cookie = mint(bytes(32), SESSION)
            await admin.perform(ALICE, SignIn(Fresh(digest=digest(cookie), provider="local")))

            told = Starlette(routes=reception.routes())
            sent = {"host": "gw", "cookie": f"__Host-torhaus={cookie}"}
            page = await ask(told, "GET", "/me/servers", b"", sent)

            assert page.status == 200
            assert "/connect/github" in page.text
            home = await ask(told, "GET", "/", b"", sent)
            assert (home.status, home.headers["location"]) == (303, "/me")

    run(story())
