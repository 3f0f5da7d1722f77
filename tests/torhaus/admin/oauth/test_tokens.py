import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.admin.oauth.lobby import CURSOR, IP, OTHER, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.oauth.acts import Denied
from torhaus.identity.keys import REFRESH, mint
from torhaus.model.ports import LedgerError


@pytest.mark.parametrize("token", ["", "thr_short", "x" * 53, mint(b"x" * 32, REFRESH), "thr_ü"])
def test_what_is_not_known_is_counted_and_not_recorded(token: str, tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        known = len(at.hall.ledger.durable)

        refused = await at.refresh(token)

        assert isinstance(refused, Denied)
        assert refused.code == "invalid_grant"
        assert len(at.strange) == 1
        assert len(at.hall.ledger.durable) == known

    run(play(tmp_path, story))


def test_an_access_token_is_given_back_alone(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()

        await at.tokens.revoke(tokens.access, CURSOR, IP)

        assert not await at.lives(tokens.access)
        assert at.ends()[-1] == ("token.revoked", "success")
        assert not isinstance(await at.refresh(tokens.refresh), Denied)

    run(play(tmp_path, story))


def test_a_refresh_token_takes_its_consent_along(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()

        await at.tokens.revoke(tokens.refresh, CURSOR, IP)

        assert not await at.lives(tokens.access)
        assert isinstance(await at.refresh(tokens.refresh), Denied)

    run(play(tmp_path, story))


def test_nobody_ends_what_another_client_has(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()

        for token in (tokens.access, tokens.refresh):
            await at.tokens.revoke(token, OTHER, IP)
        for token in ("", "noise", mint(b"y" * 32, REFRESH)):
            await at.tokens.revoke(token, CURSOR, IP)

        assert await at.lives(tokens.access)
        assert ("token.revoked", "success") not in at.ends()

    run(play(tmp_path, story))


async def while_somebody_writes(at: Lobby, asked: Awaitable[object]) -> object:
    async with at.hall.office.write():
        return await asyncio.wait_for(asked, 60)


def test_who_has_no_access_any_more_is_refused_while_somebody_writes(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        await at.consent(code="another")
        at.hall.without(ALICE)
        gone = "the access of this person has ended"

        refused = await while_somebody_writes(at, at.refresh(tokens.refresh))
        unused = await while_somebody_writes(at, at.exchange("another"))

        assert refused == unused == Denied("invalid_grant", gone)
        assert at.ends()[-2:] == [("token.refreshed", "denied"), ("token.issued", "denied")]
        assert at.hall.ledger.durable[-1].access_control.reason == gone

    run(play(tmp_path, story))


def test_a_consent_that_has_ended_is_refused_while_somebody_writes(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        await at.tokens.revoke(tokens.refresh, CURSOR, IP)

        refused = await while_somebody_writes(at, at.refresh(tokens.refresh))

        assert refused == Denied("invalid_grant", "the consent has ended: sign in again")
        assert at.ends()[-1] == ("token.refreshed", "denied")

    run(play(tmp_path, story))


def test_without_a_record_nobody_is_even_refused(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        at.hall.without(ALICE)
        at.hall.ledger.refuses = True

        with pytest.raises(LedgerError):
            await at.refresh(tokens.refresh)

    run(play(tmp_path, story))
