"""What is known is taken, what is not is asked for, and a silent database is said so."""

import asyncio

import pytest

from tests.torhaus.upstream.purses import MemoryWallet, held
from torhaus.model.ports import UpstreamError
from torhaus.upstream.accounts import EVERYBODY
from torhaus.upstream.looking import looked

TOKEN = held("token")


def found(wallet: MemoryWallet) -> object:
    return asyncio.run(looked(wallet, TOKEN.kept.server, EVERYBODY))


@pytest.mark.parametrize("cold", [False, True])
def test_what_the_vault_keeps_is_found(cold: bool) -> None:
    wallet = MemoryWallet(TOKEN)
    wallet.cold = cold

    assert found(wallet) == (TOKEN,)


def test_the_database_is_asked_only_for_what_is_not_known() -> None:
    wallet = MemoryWallet(TOKEN)
    wallet.down = True

    assert found(wallet) == (TOKEN,)
    wallet.cold = True
    with pytest.raises(UpstreamError):
        found(wallet)
