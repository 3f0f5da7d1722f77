from pathlib import Path

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import ORIGIN, house
from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import Closed, Guest, Opened
from torhaus.model.signin import Arrival, Identity

GUEST = Guest(browser=b"b")
CALLBACK = f"{ORIGIN}/callback/corp"


def test_what_the_provider_must_remember_stays_here_and_comes_back_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            at.provider.answers["a"] = Identity(
                provider="corp", issuer="i", subject="s", email=ALICE.email, id_token_hint="h"
            )
            travelling = at.reception.travelling
            where = await travelling.depart("corp", GUEST, Errand(next="/x"), CALLBACK)
            assert isinstance(where, str)
            assert "nonce" not in where
            state = where.partition("state=")[2][:64]

            found = await travelling.land(
                "corp", state, Arrival(query={"code": "a"}), GUEST, CALLBACK
            )

            assert isinstance(found, Opened)
            assert found.next == "/x"
            assert at.provider.arrivals[0].private["nonce"].startswith("n ")
            assert await travelling.hint(found.cookie) == ("corp", "h")
            assert await travelling.hint(found.cookie) is None
            again = await travelling.land(
                "corp", state, Arrival(query={"code": "a"}), GUEST, CALLBACK
            )
            assert isinstance(again, Closed)

    run(story())


def test_a_state_of_one_provider_is_none_of_another(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            travelling = at.reception.travelling
            where = await travelling.depart("corp", GUEST, Errand(), CALLBACK)
            assert isinstance(where, str)
            state = where.partition("state=")[2][:64]

            for wrong in (state, "\ud800"):
                found = await travelling.land("other", wrong, Arrival(), GUEST, CALLBACK)
                assert isinstance(found, Closed)
                assert found.status == 400

    run(story())


def test_a_provider_that_goes_down_meanwhile_costs_nobody_a_try(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            travelling = at.reception.travelling
            for code, status in [*[("down", 502)] * 12, ("nonsense", 403)]:
                where = await travelling.depart("corp", GUEST, Errand(), CALLBACK)
                assert isinstance(where, str)
                state, brought = where.partition("state=")[2][:64], Arrival(query={"code": code})

                found = await travelling.land("corp", state, brought, GUEST, CALLBACK)

                assert isinstance(found, Closed)
                assert found.status == status
            assert at.reception.throttle.wait(GUEST.ip) == 0

    run(story())
