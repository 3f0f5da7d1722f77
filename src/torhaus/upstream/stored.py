"""The way to show a server what the vault keeps for it: the new credential, else the former."""

import time
from base64 import b64encode
from collections.abc import Callable

from torhaus.model.ports import StateError, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.vault import TYPED, Held, VaultKind, Wallet
from torhaus.upstream.accounts import EVERYBODY, Shown
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.looking import looked

AGAIN = 60.0
"""Seconds for which the former one goes first where the new one was refused."""


class StoredWay:
    """Owned by one event loop. `clock`: monotonic."""

    def __init__(
        self, server: str, wallet: Wallet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._wallet = wallet
        self._clock = clock
        self._refused: dict[str, float] = {}
        self._shown: dict[str, tuple[Held, Shown]] = {}

    def at_hand(self, account: str) -> Shown | None:
        found = self._wallet.known(self._server, account)
        return None if found is None else self._first(found)

    async def present(self, account: str) -> Shown:  # noqa: ARG002 -- there is one for all
        shown = self._first(await self._look())
        if shown is None:
            raise UpstreamError(
                f"no credential is stored for it: an administrator runs "
                f"torhaus secrets put {self._server}"
            )
        return shown

    async def refused(
        self,
        account: str,  # noqa: ARG002 -- there is one for all
        shown: Shown,
        denied: DeniedError,
    ) -> Shown | None:
        if not denied.outright:
            return None  # it knows us, and does not let us do this
        now, found = self._clock(), await self._look()
        for held in found:
            if self._of(held) == shown:
                self._refused[held.kept.id] = now + AGAIN
        # The one on hold, too: the server may know it by now.
        left = [each for each in found if not each.blocked and self._of(each) != shown]
        return self._of(left[0]) if left else None

    async def answered(self, account: str, shown: Shown) -> None:  # noqa: ARG002 -- one for all
        found = await self._look()
        if found and self._of(found[0]) != shown and len(found) > 1:
            try:
                await self._wallet.stood_in(found[0])
            except StateError as error:
                raise UpstreamError(str(error)) from error

    async def _look(self) -> tuple[Held, ...]:
        found = await looked(self._wallet, self._server, EVERYBODY)
        return tuple(each for each in found if each.kept.kind in TYPED)

    def _first(self, found: tuple[Held, ...]) -> Shown | None:
        """The current one, unless it was refused a moment ago and there is another."""
        typed = [each for each in found if each.kept.kind in TYPED]
        usable = [each for each in typed if not each.blocked]
        if typed and not usable:
            raise UpstreamError(typed[0].blocked)
        now = self._clock()
        fresh = [each for each in usable if self._may(each, now)]
        chosen = next(iter(fresh or usable), None)
        return None if chosen is None else self._of(chosen)

    def _may(self, held: Held, now: float) -> bool:
        return self._refused.get(held.kept.id, 0.0) <= now

    def _of(self, held: Held) -> Shown:
        known = self._shown.get(held.kept.id)
        if known is None or known[0] != held:
            known = self._shown[held.kept.id] = (held, shown(held))
        return known[1]


def shown(held: Held) -> Shown:
    """The header that carries it."""
    content = held.content
    match held.kept.kind:
        case VaultKind.HEADER:
            header = (held.kept.name, content.value)
        case VaultKind.BASIC:
            pair = b64encode(f"{content.username}:{content.value}".encode()).decode()
            header = ("Authorization", f"Basic {pair}")
            return Shown(((header[0], Secret(header[1])),), (Secret(content.value), Secret(pair)))
        case _:
            header = ("Authorization", f"Bearer {content.value}")
    return Shown(((header[0], Secret(header[1])),), (Secret(content.value),))
