"""What a server sends, without the credentials that the gateway shows it or gave it."""

import structlog

from torhaus.model.servers import Server
from torhaus.redact.own import Own
from torhaus.upstream.pipe import Ears, Opener, Pipe

log = structlog.get_logger()


def own(server: Server) -> Own | None:
    """None for a server without credentials. That one repeats them is logged once for each link."""
    said = False

    def told() -> None:
        nonlocal said
        if not said:
            said = True
            log.warning("upstream.credential_repeated", server=server.name)

    made = Own((each.reveal() for each in server.secrets), told)
    return made if made else None


def discreet(opener: Opener, mine: Own | None) -> Opener:
    """Opens the same pipes, which bring no credentials."""
    if mine is None:
        return opener

    async def opened(ears: Ears) -> Pipe:
        return await opener(_Discreet(ears, mine))

    return opened


class _Discreet:
    """Ears before which credentials are masked."""

    def __init__(self, ears: Ears, mine: Own) -> None:
        self._mine = mine
        self._ears = ears
        self.oversized = ears.oversized
        self.ended = ears.ended

    def message(self, data: bytes) -> None:
        self._ears.message(self._mine.clean(data))
