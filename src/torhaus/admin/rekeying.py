"""All stored secrets under another key, a few at a time, while calls go on, on all gateways.

The key that seals is named in the database, so that all gateways change it at one moment: nobody
seals under a key that is being let go. First the new key is put into the ring; when every running
gateway has it, it seals; then rows are put under it; then keys that nothing needs are let go.
Whoever is interrupted anywhere goes on by beginning again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from torhaus.admin.acts import Refusal
from torhaus.admin.means import Means
from torhaus.admin.safe import Safe, SealedError
from torhaus.admin.scopes import EXCEEDED, may_try
from torhaus.audit.acts import Act, act_record, came, refused_record
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.rings import Holder, Keys
from torhaus.policy.keepers import may_keep

AT_ONCE = 100
"""Rows in one transaction: others write in between."""
GONE = 20.0
"""Seconds after which a gateway that says nothing runs no more."""
PATIENCE = 60.0
"""Seconds that gateways have to read a new key."""
_LOOK = 0.25


class RekeyVault(msgspec.Struct, frozen=True):
    """Put every secret under a new key."""


class Rekeyed(msgspec.Struct, frozen=True):
    """`wrapped`: rows under the key `key` now that were not. `lost`: those that did not open.

    `unused`: ids of keys that nothing needs any more, and that are gone or can be taken away.
    """

    key: str
    wrapped: int
    lost: tuple[str, ...]
    unused: tuple[str, ...]


class Rekeying:
    """`me`: this gateway's id among the holders of keys."""

    def __init__(
        self,
        means: Means,
        safe: Safe,
        keys: Keys,
        me: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._means = means
        self._safe = safe
        self._keys = keys
        self._me = me
        self._sleep = sleep

    async def rekey(self, actor: Principal, ip: str) -> Rekeyed | Refusal:
        """What was done. Raises StateError, also where keys cannot be kept, and LedgerError."""
        try:
            return await self._rekeyed(actor, ip)
        except (OSError, ValueError) as error:
            said = (isinstance(error, OSError) and error.strerror) or str(error)
            raise StateError(f"the key ring cannot be changed: {said}") from error

    async def _rekeyed(self, actor: Principal, ip: str) -> Rekeyed | Refusal:
        act = Act(operation="vault.rekeyed")
        why = may_keep(actor, "*", self._means.clock())
        if why is None and not may_try(actor, RekeyVault()):
            why = EXCEEDED
        if why is not None:
            return await self._refused(Refusal("not_allowed", why, act), actor, ip)
        target = await self._prepared()
        lacking = await self._lacking(target)
        if lacking:
            names = ", ".join(sorted({each.name for each in lacking}))
            text = f"the new key is not in the key ring of gateways on {names}"
            fix = "give all gateways the same keys, see docs/credentials.md, and run this again"
            return await self._refused(Refusal("conflict", text, act, fix), actor, ip)
        await self._move(target, act, actor, ip)
        wrapped, lost = await self._wrap_all()
        return await self._settled(wrapped, lost)

    async def _refused(self, refusal: Refusal, actor: Principal, ip: str) -> Refusal:
        now, rule, why = self._means.clock(), refusal.code, refusal.reason
        who, id = came(actor, now, ip), self._means.ids()
        await self._means.note(
            refused_record(refusal.act, who, id=id, at=now, rule=rule, reason=why)
        )
        return refusal

    async def _prepared(self) -> str:
        """The key to go on with, in the ring from now on."""
        async with self._means.office.write() as desk:
            found = await desk.rings.take(self._keys.ids()[0], self._means.clock())
            if not found.settled and found.key in self._keys.ids():
                return found.key
            return await asyncio.to_thread(self._keys.fresh, found.key)

    async def _lacking(self, target: str) -> list[Holder]:
        """Other gateways without the key, after they had time to read it."""
        waited = 0.0
        while True:
            async with self._means.office.write() as desk:
                others = await desk.rings.holders(self._means.clock() - GONE)
            found = [each for each in others if each.id != self._me and target not in each.keys]
            if not found or waited >= PATIENCE:
                return found
            await self._sleep(_LOOK)
            waited += _LOOK

    async def _move(self, target: str, act: Act, actor: Principal, ip: str) -> None:
        """From here on, everybody seals under the new key. Its record comes first."""
        means, now = self._means, self._means.clock()
        async with means.office.write() as desk:
            found = await desk.rings.take(target, now)
            await asyncio.to_thread(self._keys.follow)
            if target not in self._keys.ids():
                raise StateError("the key ring was changed meanwhile: run it again")
            done = msgspec.structs.replace(act, before={"key": found.key}, after={"key": target})
            who, reason = came(actor, now, ip), f"{actor.email} may do this"
            record = act_record(done, who, id=means.ids(), at=now, rule="admin", reason=reason)
            await means.note(record)
            if found.key != target:
                await desk.rings.move(target, now)

    async def _wrap_all(self) -> tuple[int, tuple[str, ...]]:
        wrapped, lost = 0, list[str]()
        while True:
            found, gone = await self._wrap(len(lost))
            wrapped += found
            lost += gone
            if not found and not gone:
                return wrapped, tuple(dict.fromkeys(lost))

    async def _wrap(self, passed: int) -> tuple[int, list[str]]:
        """How many of the next rows were put under the key that seals, and which cannot be."""
        wrapped, lost = 0, []
        async with self._means.office.write() as desk:
            key = await self._safe.key(desk, self._means.clock())
            for kept in (await desk.vault.foreign(key, AT_ONCE + passed))[passed:]:
                try:
                    sealed = self._safe.rewrapped(kept, key)
                except SealedError:
                    lost.append(kept.id)
                    continue
                wrapped += await desk.vault.rewrap(kept, sealed, key)
        return wrapped, lost

    async def _settled(self, wrapped: int, lost: tuple[str, ...]) -> Rekeyed:
        now = self._means.clock()
        async with self._means.office.write() as desk:
            key = await self._safe.key(desk, now)
            needed = frozenset((key, *await desk.vault.key_ids()))
            await desk.rings.settle(key, now)
            unused = await asyncio.to_thread(self._keys.drop, needed)
        return Rekeyed(key, wrapped, lost, unused)
