"""Accounts whose tokens are bound to a key."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.oauth.test_way import ALICE, Town, connection
from tests.torhaus.upstream.oauth.town import ISSUER, SERVER, said
from tests.torhaus.upstream.proofs import opened
from torhaus.model.ports import NotConnected, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting
from torhaus.model.vault import Held
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.oauth.dpop import Key


def bound(who: str = ALICE, **changes: object) -> Held:
    return connection(who, proof_key=Key.fresh().text, **changes)


def binding(town: Town) -> None:
    """Its authorization server gives tokens that are bound, for good proofs."""
    plain = town.web.pages[f"{ISSUER}/token"]

    def token(asked):
        opened(asked.headers["DPoP"])
        found = json.loads(plain(asked).body)
        return said({**found, "token_type": "DPoP"})

    town.web.pages[f"{ISSUER}/token"] = token


def test_a_bound_token_is_shown_with_proofs_by_the_key_that_was_kept():
    async def story():
        town = Town(bound())
        found = await town.way.present(ALICE)

        assert found.headers[0][1].reveal() == f"DPoP token-of-{ALICE}"
        header, claims = opened(found.prover.line("POST", SERVER)[6:-2].decode())
        assert claims["htu"] == SERVER
        again = await town.another().present(ALICE)  # as after a restart
        assert opened(again.prover.line("GET", SERVER)[6:-2].decode())[0] == header

    asyncio.run(story())


def test_a_refresh_keeps_the_key_and_goes_on_with_the_servers_nonce():
    async def story():
        town = Town(bound(expires=5000.0))
        binding(town)
        first = await town.way.present(ALICE)
        first.prover.wanted(200, {b"dpop-nonce": b"n-1"})

        town.clock.now = 5000.0
        second = await town.way.present(ALICE)

        key = opened(town.web.asked[0].headers["DPoP"])[0]["jwk"]
        header, claims = opened(second.prover.line("POST", SERVER)[6:-2].decode())
        assert (header["jwk"], claims["nonce"]) == (key, "n-1")
        assert second.headers[0][1].reveal() == "DPoP access-token-0000000000000001"

    asyncio.run(story())


@pytest.mark.parametrize("error", ["invalid_dpop_proof", "use_dpop_nonce"])
def test_a_proof_that_is_refused_costs_no_token(error):
    async def story():
        town = Town(bound())
        found = await town.way.present(ALICE)
        challenge = f'Bearer, DPoP error="{error}"'
        denied = DeniedError("it refused (HTTP 401)", outright=True, challenge=challenge)

        with pytest.raises(UpstreamError, match="DPoP") as failed:
            await town.way.refused(ALICE, found, denied)
        assert not isinstance(failed.value, NotConnected)
        assert town.web.asked == []

    asyncio.run(story())


def test_a_token_from_before_the_file_wanted_bound_ones_is_not_used():
    async def story():
        town = Town(connection(), bound=True)

        assert town.way.at_hand(ALICE) is None
        with pytest.raises(NotConnected):
            await town.way.present(ALICE)
        assert Town(bound(), bound=True).way.at_hand(ALICE)
        assert Town(bound(), bound=False).way.at_hand(ALICE)  # it is, whatever the file says

    asyncio.run(story())


def test_torhauss_own_tokens_are_bound_where_the_server_asks_for_it():
    async def story():
        town = Town(mode=Acting.CLIENT, client_id="me", client_secret=Secret("s"), issuer=ISSUER)
        first = await town.way.present("")
        assert first.prover is None
        binding(town)
        denied = DeniedError("it refused (HTTP 401)", outright=True, challenge="DPoP algs=ES256")

        second = await town.way.refused("", first, denied)
        assert second.headers[0][1].reveal() == "DPoP access-token-0000000000000002"
        town.clock.now += 3600
        third = await town.way.present("")
        keys = [
            opened(each.prover.line("GET", SERVER)[6:-2].decode())[0] for each in (second, third)
        ]
        assert keys[0] == keys[1]

    asyncio.run(story())
