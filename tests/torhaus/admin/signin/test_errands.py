from pathlib import Path

from tests.torhaus.admin.hall import Hall
from tests.torhaus.admin.signin.office import play
from tests.torhaus.cast import randoms, sealer
from torhaus.admin.signin.errands import MINUTES, Errand, Errands


def test_an_errand_is_read_by_its_token_in_its_browser_alone(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        errands = Errands(sealer(), randoms(), at.clock)
        token = errands.token()
        errand = Errand(next="/x", email="a@example.org", private={"nonce": "n"}, secret=b"\xff")
        async with at.office.write() as desk:
            leaving = errands.leaving("code", token, errand, b"browser")
            await desk.departures.add(leaving)
            assert b"example" not in leaving.sealed
            assert await errands.look(desk, "code", token, b"browser") == errand
            for kind, told, browser in (
                ("other", token, b"browser"),
                ("code", token, b"else"),
                ("code", token, b""),
                ("code", "0" * 64, b"browser"),
                ("code", "\ud800", b"browser"),
            ):
                assert await errands.look(desk, kind, told, browser) is None
            at.clock.turn(MINUTES)
            assert await errands.look(desk, "code", token, b"browser") is None

    play(tmp_path, story)
