from math import inf
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import house, session_of
from torhaus.model.credentials import CredentialKind
from torhaus.model.ports import StateError
from torhaus.web.session import login_url


def scope(cookie: str) -> dict[str, object]:
    return {"scheme": "https", "headers": [(b"cookie", f"__Host-torhaus={cookie}".encode())]}


def test_a_session_says_who_it_is_and_its_token_is_its_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser, other = await at.signed_in(ALICE), await at.signed_in(ALICE)
            sessions = at.reception.sessions

            who = await sessions.who(scope(browser.cookies["__Host-torhaus"]))
            else_ = await sessions.who(scope(other.cookies["__Host-torhaus"]))

            assert who is not None
            assert else_ is not None
            assert who.family == at.index.known[session_of(browser)].family
            with_it = msgspec.structs.replace(ALICE, shown=f"session:{who.family}")
            assert (who.email, who.principal) == (ALICE.email, with_it)
            assert sessions.own(who, {"token": who.csrf})
            assert not sessions.own(who, {"token": else_.csrf})
            assert not sessions.own(who, {})

    run(story())


@pytest.mark.parametrize("kind", [CredentialKind.KEY, CredentialKind.ACCESS])
def test_no_other_credential_is_a_session(kind: CredentialKind, tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = await at.signed_in(ALICE)
            digest = session_of(browser)
            at.index.known[digest] = msgspec.structs.replace(at.index.known[digest], kind=kind)

            assert await at.reception.sessions.who(scope(browser.cookies["__Host-torhaus"])) is None

    run(story())


@pytest.mark.parametrize("cookie", ["", "x", "ths_" + "A" * 49, "thk_" + "A" * 49, "\u00fc"])
def test_what_is_no_cookie_of_ours_is_nobody(cookie: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            assert await at.reception.sessions.who(scope(cookie)) is None

    run(story())


def test_a_session_is_not_believed_once_what_is_known_is_too_old(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            cookie = scope((await at.signed_in(ALICE)).cookies["__Host-torhaus"])
            assert await at.reception.sessions.who(cookie) is not None

            at.index.until = -inf

            with pytest.raises(StateError, match="cannot reach its database"):
                await at.reception.sessions.who(cookie)

    run(story())


def test_the_way_to_sign_in_brings_back_to_the_page() -> None:
    assert unquote(login_url("/authorize?a=b&c=%20d").partition("next=")[2]) == (
        "/authorize?a=b&c=%20d"
    )
