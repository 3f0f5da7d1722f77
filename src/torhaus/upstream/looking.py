"""What the vault keeps for an account at a server, for a way that is about to show it."""

from torhaus.model.ports import StateError, UpstreamError
from torhaus.model.vault import Held, Wallet


async def looked(wallet: Wallet, server: str, account: str) -> tuple[Held, ...]:
    """The current one first. Asks the database where it is not known. Raises UpstreamError."""
    known = wallet.known(server, account)
    try:
        return await wallet.look(server, account) if known is None else known
    except StateError as error:
        raise UpstreamError(str(error)) from error
