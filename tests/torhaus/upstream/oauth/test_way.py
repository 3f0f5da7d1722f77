"""The way to show a server a token of somebody's account."""

import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.oauth.town import ISSUER, SERVER, USER, Clock, Web, said
from tests.torhaus.upstream.purses import MemoryWallet, held
from tests.torhaus.upstream.webs import configured
from torhaus.model.ports import NotConnected, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting
from torhaus.model.vault import Held, VaultKind
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.oauth import way as module
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.enterprise import Means
from torhaus.upstream.oauth.showing import shown
from torhaus.upstream.oauth.way import OAuthWay

NO = DeniedError("it refused (HTTP 401)", outright=True)
ALICE, BOB = "alice@example.org", "bob@example.org"


def connection(who: str = ALICE, **changes: object) -> Held:
    known = {
        "email": who,
        "kind": VaultKind.OAUTH_USER if who else VaultKind.OAUTH_SHARED,
        "issuer": ISSUER,
        "expires": 5000.0,
        "refresh": f"refresh-of-{who}-0123456789",
        "client_id": "registered",
        "method": "none",
        "token_endpoint": f"{ISSUER}/token",
        "resource": SERVER,
        "scope": "read",
    }
    return held(f"token-of-{who}", **{**known, **changes})


class Town:
    def __init__(self, *helds: Held, web: Web | None = None, **oauth: object) -> None:
        self.web, self.wallet, self.clock = web or Web(), MemoryWallet(*helds), Clock()
        self.oauth = msgspec.structs.replace(USER, **oauth)
        self.way = self.another()

    def another(self) -> OAuthWay:
        """As another process has it, on the same database."""
        means = Means(wallet=self.wallet, fetch=lambda: self.web, clock=self.clock, ids=lambda: "1")
        return OAuthWay(configured(SERVER), SERVER, self.oauth, means)


def test_each_has_his_own_token_and_nobody_anothers():
    async def story():
        town = Town(connection(ALICE), connection(BOB))

        for who in (ALICE, BOB):
            mine = connection(who)
            assert town.way.at_hand(who) == shown(mine.content, mine.kept.id)
        assert town.way.at_hand("mallory@example.org") is None
        with pytest.raises(NotConnected, match="your account there is not connected") as failed:
            await town.way.present("mallory@example.org")
        assert not failed.value.shared

    asyncio.run(story())


def test_an_account_of_all_is_an_administrators_business():
    async def story():
        town = Town(mode=Acting.SHARED)

        with pytest.raises(NotConnected, match="an administrator connects it") as failed:
            await town.way.present("")
        assert failed.value.shared

    asyncio.run(story())


def test_one_refresh_serves_many_callers():
    async def story():
        town = Town(connection(expires=1000.0))
        assert town.way.at_hand(ALICE) is None

        found = await asyncio.gather(*(town.way.present(ALICE) for _ in range(50)))

        assert town.web.granted == 1
        assert set(found) == {town.way.at_hand(ALICE)}
        form = town.web.asked[0].form
        assert form["grant_type"] == "refresh_token"
        assert (form["resource"], form["client_id"]) == (SERVER, "registered")
        kept = town.wallet.helds[0]
        assert (kept.kept.version, kept.kept.expires) == (2, 4600.0)
        assert kept.content.refresh == "refresh-token-0000000000000001"

    asyncio.run(story())


def test_of_two_processes_one_refreshes_and_the_other_takes_what_came():
    async def story():
        town = Town(connection(expires=1000.0))
        other = town.another()

        one, two = await asyncio.gather(town.way.present(ALICE), other.present(ALICE))

        assert one == two
        assert town.web.granted == 1

    asyncio.run(story())


def test_a_refresh_goes_on_although_its_caller_hangs_up():
    async def story():
        town = Town(connection(expires=1000.0))
        first = asyncio.ensure_future(town.way.present(ALICE))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

        await town.way.present(ALICE)
        assert town.web.granted == 1

    asyncio.run(story())


@pytest.mark.parametrize("code", module.DEAD)
def test_a_connection_that_was_revoked_has_to_be_made_anew(code):
    async def story():
        web = Web(**{f"{ISSUER}/token": lambda _: said({"error": code}, 400)})
        town = Town(connection(expires=1000.0), web=web)

        with pytest.raises(NotConnected, match="has ended"):
            await town.way.present(ALICE)
        assert code in town.wallet.troubles[0]

    asyncio.run(story())


def test_a_connection_that_was_revoked_is_not_asked_for_with_every_call():
    async def story():
        town = Town(connection(expires=1.0))
        town.web.pages[f"{ISSUER}/token"] = lambda _: said({"error": "invalid_grant"}, 400)
        for _ in range(5):
            with pytest.raises(NotConnected):
                await town.way.present(ALICE)
        assert len(town.web.asked) == 1

        town.wallet.helds = [connection(id="vlt-new")]
        assert await town.way.present(ALICE)

    asyncio.run(story())


def test_a_token_is_shown_to_no_other_server_than_it_was_got_for():
    """The server's url in the file is another one now."""

    async def story():
        town = Town(connection(resource="https://elsewhere.example/mcp"))
        assert town.way.at_hand(ALICE) is None
        with pytest.raises(NotConnected):
            await town.way.present(ALICE)

        assert Town(connection(resource="https://mcp.example")).way.at_hand(ALICE)
        named = Town(connection(resource="urn:notes"), resource="urn:notes")
        assert named.way.at_hand(ALICE)

    asyncio.run(story())


def test_a_token_that_lasts_for_seconds_is_used_for_half_of_them():
    async def story():
        town = Town(connection(rotated=1000.0, expires=1020.0))
        assert town.way.at_hand(ALICE)
        town.clock.now += 11
        assert town.way.at_hand(ALICE) is None

    asyncio.run(story())


def test_a_token_endpoint_that_is_down_ends_nothing():
    async def story():
        town = Town(connection(expires=1000.0))
        town.web.down.add("as.example")
        with pytest.raises(OAuthError, match="cannot be reached"):
            await town.way.present(ALICE)
        town.web.down.clear()

        assert await town.way.present(ALICE)

    asyncio.run(story())


def test_a_refused_token_is_refreshed_once_and_then_connected_anew():
    async def story():
        town = Town(connection())
        first = await town.way.present(ALICE)

        second = await town.way.refused(ALICE, first, NO)
        assert second is not None
        assert second != first
        assert await town.way.refused(ALICE, first, NO) == second  # somebody else was faster
        with pytest.raises(NotConnected, match="not accepted any more"):
            await town.way.refused(ALICE, second, NO)
        assert town.web.granted == 1

    asyncio.run(story())


def test_a_token_that_was_accepted_and_is_over_later_is_refreshed_again():
    """However it came: the next refusal has another reason."""

    async def story():
        town = Town(connection())
        second = await town.way.refused(ALICE, await town.way.present(ALICE), NO)
        assert second is not None
        await town.way.answered(ALICE, second)

        third = await town.way.refused(ALICE, second, NO)

        assert third not in (None, second)
        assert town.web.granted == 2

    asyncio.run(story())


def test_a_token_that_ends_on_its_way_is_refreshed_again():
    async def story():
        town = Town(connection())
        town.web.lasts = 4
        second = await town.way.refused(ALICE, await town.way.present(ALICE), NO)
        assert second is not None
        town.clock.now += 5

        assert await town.way.refused(ALICE, second, NO) not in (None, second)

    asyncio.run(story())


def test_without_a_refresh_token_a_refusal_asks_to_connect():
    async def story():
        town = Town(connection(refresh=""))
        with pytest.raises(NotConnected):
            await town.way.refused(ALICE, await town.way.present(ALICE), NO)

    asyncio.run(story())


def test_more_rights_are_asked_for_beside_those_there_are_and_once():
    async def story():
        town = Town(connection())
        first = await town.way.present(ALICE)
        wish = 'Bearer error="insufficient_scope", scope="write"'
        short = DeniedError("it refused (HTTP 403)", outright=False, challenge=wish)

        with pytest.raises(NotConnected, match="more rights") as failed:
            await town.way.refused(ALICE, first, short)
        assert failed.value.scope == "read write"
        assert await town.way.refused(ALICE, first, short) is None
        plain = DeniedError("it refused (HTTP 403)", outright=False)
        assert await town.way.refused(ALICE, first, plain) is None

    asyncio.run(story())


def test_the_files_newer_secret_is_used_for_a_refresh():
    async def story():
        content = {"client_id": "mine", "client_secret": "old", "method": "client_secret_post"}
        town = Town(
            connection(expires=1000.0, **content), client_id="mine", client_secret=Secret("new")
        )
        await town.way.present(ALICE)

        assert town.web.asked[0].form["client_secret"] == "new"

    asyncio.run(story())


def test_a_database_that_is_down_is_said():
    async def story():
        town = Town(connection(expires=1000.0))
        town.wallet.down = True
        with pytest.raises(UpstreamError, match="state database"):
            await town.way.present(ALICE)

    asyncio.run(story())


def test_torhauss_own_account_needs_no_vault():
    async def story():
        town = Town(mode=Acting.CLIENT, client_id="me", client_secret=Secret("s"), issuer=ISSUER)
        town.wallet.down = True
        own = await town.way.present("")

        assert town.way.at_hand("") == own
        assert await town.way.refused("", own, NO) not in (None, own)

    asyncio.run(story())


def test_no_answer_may_repeat_the_refresh_token_either():
    found = {each.reveal() for each in shown(connection().content).secrets}

    assert found == {f"token-of-{ALICE}", f"refresh-of-{ALICE}-0123456789"}
