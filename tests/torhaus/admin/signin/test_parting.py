from pathlib import Path

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import house, session_of


def test_without_a_hint_nobody_is_sent_to_the_provider(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = await at.signed_in(ALICE)
            family = at.index.known[session_of(browser)].family
            cookie = browser.cookies["__Host-torhaus"]

            where = await at.reception.leaving.sign_out(ALICE, family, cookie, "", "https://gw/")

            assert where is None
            assert at.index.known == {}

    run(story())


def test_a_provider_that_is_not_there_ends_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.signed_in(ALICE)

            assert not await at.reception.leaving.told("other", "token", "")
            assert not await at.reception.leaving.told("corp", "no such token", "")
            assert len(at.index.known) == 1

    run(story())
