import msgspec
import pytest
from starlette.responses import Response

from tests.torhaus.cast import Clock, randoms, sealer
from tests.torhaus.web.oauth.test_consent import ASKED
from torhaus.web.oauth.tickets import SealError, Ticket, Tickets, _bound

ORIGIN = "https://gw.example.org"
TICKET = Ticket(id="con_1", asked=ASKED, origin=ORIGIN, email="alice@example.org")
BROWSER = "a" * 64


def test_a_ticket_opens_in_its_browser_and_at_its_stage_only() -> None:
    tickets = Tickets(sealer(), randoms(), Clock())
    sealed = tickets.seal(TICKET, "asked", BROWSER)
    assert sealed is not None

    assert tickets.open(sealed, "asked", BROWSER) == TICKET
    for stage, browser in (("agreed", BROWSER), ("asked", "b" * 64), ("asked", None)):
        with pytest.raises(SealError):
            tickets.open(sealed, stage, browser)  # type: ignore[arg-type]


def test_a_ticket_is_over_after_ten_minutes() -> None:
    clock = Clock()
    tickets = Tickets(sealer(), randoms(), clock)
    sealed = tickets.seal(TICKET, "asked", BROWSER)
    assert sealed is not None
    clock.turn(600)

    with pytest.raises(SealError):
        tickets.open(sealed, "asked", BROWSER)


def test_the_longest_request_still_fits_into_an_address() -> None:
    tickets = Tickets(sealer(), randoms(), Clock())
    usual = msgspec.structs.replace(ASKED, state="x" * 2048)
    endless = msgspec.structs.replace(usual, redirect_uri="http://localhost/" + "y" * 1000)

    assert tickets.seal(msgspec.structs.replace(TICKET, asked=usual), "agreed", BROWSER)
    assert tickets.seal(msgspec.structs.replace(TICKET, asked=endless), "agreed", BROWSER) is None


def test_a_browser_keeps_its_half_and_no_other_value_passes_for_one() -> None:
    tickets = Tickets(sealer(), randoms(), Clock())
    response = Response()
    tickets.keep(response, BROWSER, ORIGIN)

    assert "__Host-torhaus-consent" in response.headers["set-cookie"]
    assert tickets.browser({"__Host-torhaus-consent": BROWSER}, ORIGIN) == BROWSER
    for value in ("", "short", "é" * 64, "a" * 65, "-" * 64):
        assert tickets.held({"__Host-torhaus-consent": value}, ORIGIN) is None
    assert tickets.held({"torhaus-consent": BROWSER}, ORIGIN) is None
    assert len(tickets.browser({}, ORIGIN)) == 64


def test_a_ticket_of_another_version_is_no_ticket() -> None:
    clock = Clock()
    tickets = Tickets(sealer(), randoms(), clock)
    other = sealer().seal(b'{"id": "con_1"}', _bound("asked", BROWSER), clock() + 60)

    with pytest.raises(SealError):
        tickets.open(other, "asked", BROWSER)
