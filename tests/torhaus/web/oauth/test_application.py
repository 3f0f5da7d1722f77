from pathlib import Path

from tests.torhaus.cast import run
from tests.torhaus.web.oauth.browser import Browser, House, answer, play, request


def test_a_database_that_does_not_answer_is_told_to_programs_and_people(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        page = await browser.get(request())
        at.lobby.hall.ledger.refuses = True

        seen = await at.registered()
        shown = await browser.agree(page)

        assert (seen.status, seen.headers["retry-after"]) == (503, "5")
        assert shown.status == 503
        at.lobby.hall.ledger.refuses = False
        assert "code" in answer(await browser.agree(page))

    run(play(tmp_path, story))
