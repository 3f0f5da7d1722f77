"""Accounts that an identity provider vouches for."""

import asyncio
from typing import Any

import pytest

from tests.torhaus.upstream.oauth.company import (
    ALICE,
    BOB,
    IDP,
    TOKEN,
    Company,
    identity,
    refuses,
    vouches,
    word,
)
from tests.torhaus.upstream.oauth.town import ISSUER, RESOURCE, SERVER, said
from tests.torhaus.upstream.proofs import opened
from torhaus.model.ports import NotConnected, UpstreamError
from torhaus.model.vault import VaultKind
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.enterprise import REST
from torhaus.upstream.oauth.machine import JWT_BEARER
from torhaus.upstream.oauth.wellknown import Challenge

THERE = f"{ISSUER}/token"
PRM = "https://mcp.example/.well-known/oauth-protected-resource/mcp"
NOTHING = Challenge()


def test_the_providers_word_becomes_a_token_that_is_kept_for_this_person_alone() -> None:
    async def story() -> None:
        town = Company(identity())
        assert town.way.at_hand(ALICE) is None

        found = await town.way.present(ALICE)

        assert found.headers[0][1].reveal() == "Bearer access-token-0000000000000001"
        assert town.way.at_hand(ALICE) == found
        assert await town.another().present(ALICE) == found  # after a restart nobody is asked
        (form,) = town.forms(THERE)
        assert form == {
            "grant_type": JWT_BEARER,
            "assertion": word(),
            "scope": "read write",
            "resource": SERVER,
            "client_id": "there",
        }
        assert town.web.asked[-1].headers["Authorization"].startswith("Basic ")
        kept = town.wallet.helds[-1]
        assert (kept.kept.email, kept.kept.kind) == (ALICE, VaultKind.OAUTH_ENTERPRISE)
        assert (kept.kept.issuer, kept.kept.name) == (ISSUER, "acme")
        assert kept.content.refresh == ""  # the provider's word is what gets the next one

    asyncio.run(story())


def test_one_exchange_serves_many_callers_until_the_token_ends() -> None:
    async def story() -> None:
        town = Company(identity(expires=9000.0))

        await asyncio.gather(*(town.way.present(ALICE) for _ in range(50)))
        assert (len(town.forms(TOKEN)), town.web.granted) == (1, 1)

        town.clock.now += 3600 - 30
        town.answers = [vouches(word(iat=4600, exp=4900))]
        assert town.way.at_hand(ALICE) is None
        await town.way.present(ALICE)
        assert (len(town.forms(TOKEN)), town.web.granted) == (2, 2)

    asyncio.run(story())


def test_nobody_has_anothers_token() -> None:
    async def story() -> None:
        town = Company(identity(), identity(BOB, value="id-token-of-bob"))

        one, two = await asyncio.gather(town.way.present(ALICE), town.way.present(BOB))

        assert one != two
        subjects = {each["subject_token"] for each in town.forms(TOKEN)}
        assert subjects == {"canary-id-token", "id-token-of-bob"}

    asyncio.run(story())


def test_an_exchange_goes_on_although_its_caller_hangs_up() -> None:
    async def story() -> None:
        town = Company(identity())
        first = asyncio.ensure_future(town.way.present(ALICE))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

        await town.way.present(ALICE)
        assert town.web.granted == 1

    asyncio.run(story())


def test_nobody_is_asked_for_somebody_who_has_not_signed_in() -> None:
    async def story() -> None:
        town = Company()
        with pytest.raises(NotConnected, match="not signed in with Acme"):
            await town.way.present(ALICE)
        assert town.web.asked == []

    asyncio.run(story())


def test_who_has_left_meanwhile_has_no_token_kept() -> None:
    async def story() -> None:
        town = Company(identity())

        def leaving(_: Any) -> Any:
            town.wallet.helds.clear()
            return said({"access_token": "canary-late", "token_type": "Bearer"})

        town.web.pages[THERE] = leaving
        with pytest.raises(NotConnected, match="ended meanwhile"):
            await town.way.present(ALICE)
        assert town.wallet.helds == []

    asyncio.run(story())


def test_a_word_that_is_refused_is_said_again_once() -> None:
    async def story() -> None:
        town = Company(identity())
        plain, first = town.web.pages[THERE], [refuses("invalid_grant")]
        town.web.pages[THERE] = lambda asked: first.pop() if first else plain(asked)

        await town.way.present(ALICE)

        assert (len(town.forms(TOKEN)), len(town.forms(THERE))) == (2, 2)

    asyncio.run(story())


def test_an_authorization_server_that_does_not_take_the_word_is_told_as_such_and_rested() -> None:
    async def story() -> None:
        town = Company(identity())
        town.web.pages[THERE] = lambda _: refuses("invalid_grant")

        for _ in range(5):
            with pytest.raises(NotConnected, match="does not take Acme's word for you") as failed:
                await town.way.present(ALICE)
            assert failed.value.barred
            assert "canary" not in str(failed.value)
        assert (len(town.forms(TOKEN)), len(town.forms(THERE))) == (2, 2)

        town.clock.now += REST
        with pytest.raises(NotConnected):
            await town.way.present(ALICE)
        assert len(town.forms(THERE)) == 4

    asyncio.run(story())


@pytest.mark.parametrize("code", ["unauthorized_client", "unsupported_grant_type", "invalid_scope"])
def test_other_refusals_are_not_asked_for_twice(code: str) -> None:
    async def story() -> None:
        town = Company(identity())
        town.web.pages[THERE] = lambda _: refuses(code)

        with pytest.raises(NotConnected, match=code):
            await town.way.present(ALICE)
        assert len(town.forms(THERE)) == 1

    asyncio.run(story())


def test_a_token_that_the_server_refuses_is_got_anew_once() -> None:
    async def story() -> None:
        town = Company(identity())
        first = await town.way.present(ALICE)

        second = await town.way.other(ALICE, first, NOTHING)
        assert second != first
        assert await town.way.other(ALICE, first, NOTHING) == second  # somebody else was faster
        with pytest.raises(NotConnected, match="ask an administrator") as failed:
            await town.way.other(ALICE, second, NOTHING)
        assert failed.value.barred
        assert town.web.granted == 2

    asyncio.run(story())


def test_more_rights_are_asked_for_once_for_each_wish() -> None:
    async def story() -> None:
        town = Company(identity())
        await town.way.present(ALICE)
        more = Challenge(scope="admin", error="insufficient_scope")

        assert await town.way.wider(ALICE, more) is not None
        assert town.forms(TOKEN)[-1]["scope"] == "admin"
        assert await town.way.wider(ALICE, more) is None
        assert await Company(identity(), scopes=("read",)).way.wider(ALICE, more) is None

    asyncio.run(story())


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://other.example"},
        {"client_id": "another"},
        {"resource": "urn:other"},
        {"provider": "other"},
        {"bound": True},
    ],
)
def test_a_token_that_the_file_would_get_otherwise_is_not_used(change: dict[str, Any]) -> None:
    async def story() -> None:
        town = Company(identity())
        await town.way.present(ALICE)

        assert Company(*town.wallet.helds).way.at_hand(ALICE) is not None
        assert Company(*town.wallet.helds, **change).way.at_hand(ALICE) is None

    asyncio.run(story())


def test_a_server_that_names_another_authorization_server_gets_nobodys_token() -> None:
    """Or it could have people's tokens for another one sent to itself."""

    async def story() -> None:
        town = Company(identity())
        other = {**RESOURCE, "authorization_servers": ["https://other.example"]}
        town.web.pages[PRM] = other
        with pytest.raises(OAuthError, match="does not name the issuer that is configured"):
            await town.way.present(ALICE)
        assert town.forms(TOKEN) == []

    asyncio.run(story())


def test_metadata_of_another_issuer_is_not_followed() -> None:
    async def story() -> None:
        town = Company(identity())
        place = f"{ISSUER}/.well-known/oauth-authorization-server"
        town.web.pages[place] = {**town.web.pages[place], "issuer": IDP}
        with pytest.raises(OAuthError, match="is of another issuer"):
            await town.way.present(ALICE)
        assert town.forms(TOKEN) == []

    asyncio.run(story())


def test_what_metadata_points_to_is_trusted_no_more_than_others_words() -> None:
    async def story() -> None:
        town = Company(identity())
        await town.way.present(ALICE)

        by_url = {each.url: each.named for each in town.web.asked}
        assert by_url[TOKEN] == (IDP,)
        assert by_url[THERE] == (SERVER, ISSUER)

    asyncio.run(story())


def test_tokens_are_bound_to_a_key_that_stays_where_the_server_asks_for_it() -> None:
    async def story() -> None:
        town = Company(identity(), bound=True)

        def binding(asked: Any) -> Any:
            opened(asked.headers["DPoP"])
            return said({"access_token": "bound", "token_type": "DPoP", "expires_in": 60})

        town.web.pages[THERE] = binding
        first = await town.way.present(ALICE)
        town.clock.now += 60
        second = await town.way.present(ALICE)

        assert first.headers[0][1].reveal() == "DPoP bound"
        keys = []
        for each in (first, second):
            assert each.prover is not None
            keys.append(opened(each.prover.line("GET", SERVER)[6:-2].decode())[0])
        assert keys[0] == keys[1]
        assert len(town.forms(THERE)) == 2

    asyncio.run(story())


def test_a_provider_that_is_gone_from_the_file_is_said() -> None:
    async def story() -> None:
        town = Company(identity())
        town.provider = None
        with pytest.raises(UpstreamError, match="no identity provider acme"):
            await town.way.present(ALICE)

    asyncio.run(story())


def test_the_server_must_not_repeat_the_token() -> None:
    found = asyncio.run(Company(identity()).way.present(ALICE))

    assert [each.reveal() for each in found.secrets] == ["access-token-0000000000000001"]
