"""Stored credentials, opened and at hand: what calls use without asking the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from torhaus.admin.means import Means
from torhaus.admin.safe import Safe, SealedError
from torhaus.audit.acts import HOUSE, Act, act_record
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.vault import TYPED, Content, Held, Kept, Rotation, Standing, VaultKind
from torhaus.policy.aging import Aged, aged
from torhaus.policy.approvers import administrators
from torhaus.redact.guard import PERSONAL

log = structlog.get_logger()

MOST = 10_000
"""People and servers whose credentials are at hand; the oldest are asked for again."""
CLAIM = 30.0
"""Seconds that one process has for a refresh before another may try."""
TRIES = (0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to keep tokens that came: less than others wait for them."""
SKEW = 60.0
"""Seconds by which the clocks of gateways may differ."""
DAY = 86400.0


class Purse:
    """A `Wallet` over the state database. Owned by one event loop.

    `told`: hears of secrets by server and person, of many at once, so that nothing that is written
    shows them. `over`: servers whose credentials are older than policy allows, as of a minute ago.
    """

    def __init__(
        self,
        means: Means,
        safe: Safe,
        told: Callable[[Sequence[Held]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._means = means
        self._safe = safe
        self._told = told
        self._sleep = sleep
        self._held: dict[tuple[str, str], tuple[Held, ...]] = {}
        self._revision = -1
        self._newest = 0.0
        self.over: tuple[str, ...] = ()
        self._forgotten = 0

    def known(self, server: str, email: str) -> tuple[Held, ...] | None:
        found = self._held.get((server, email))
        return None if found is None else self._usable(found)

    async def look(self, server: str, email: str) -> tuple[Held, ...]:
        forgotten = self._forgotten
        async with self._means.office.read() as desk:
            rows = await desk.vault.of(server, email)
        found = tuple(held for row in rows if (held := self._opened(row)) is not None)
        if forgotten == self._forgotten:  # else it was read before a change, and good for once
            if len(self._held) >= MOST:
                del self._held[next(iter(self._held))]
            self._held[server, email] = found
        if found:
            await asyncio.to_thread(self._told, found)
        return self._usable(found)

    def forget(self) -> None:
        """Something was changed here: ask for everything again when it is needed."""
        self._forgotten += 1
        self._held.clear()

    async def refresh(self) -> bool:
        """Forget what another process has changed meanwhile; whether one has. Raises StateError."""
        async with self._means.office.read() as desk:
            number = await desk.vault.revision()
        changed = self._revision not in (-1, number)
        if changed:
            self.forget()
        if self._revision != number:
            await self._tell()
        self._revision = number
        return changed

    async def _tell(self) -> None:
        """Make the newest known, also those that nobody has used here. Raises StateError."""
        async with self._means.office.read() as desk:
            rows = await desk.vault.newest(self._newest - SKEW, PERSONAL)
        found = [held for row in rows if (held := self._opened(row)) is not None]
        self._newest = max((each.rotated for each in rows), default=self._newest)
        if found:
            await asyncio.to_thread(self._told, found)

    async def register(self, server: str, issuer: str, content: Content) -> None:
        now = self._means.clock()
        kept = Kept(
            id=self._means.ids(),
            server=server,
            name="client",
            kind=VaultKind.OAUTH_CLIENT,
            key_id="",
            sealed=b"",
            issuer=issuer,
            created=now,
            created_by="",
            rotated=now,
        )
        facts = {"issuer": issuer[:200], "client_id": content.client_id[:200]}
        act = Act(operation="credential.registered", server=server[:128], facts=facts)
        await self._noted(act, "somebody is about to connect an account there")
        async with self._means.office.write() as desk:
            key = await self._safe.key(desk, now)
            for each in await desk.vault.of(server, ""):
                if each.kind is VaultKind.OAUTH_CLIENT and each.issuer == issuer:
                    await desk.vault.remove(each.id)
            await desk.vault.add(self._safe.sealed(kept, content, key))
        self._held.pop((server, ""), None)

    async def exchanged(self, held: Held, tokens: Held) -> bool:
        """The first one for a server leaves a record, as a connection does; later ones renew it."""
        kept, word = tokens.kept, held.kept
        async with self._means.office.write() as desk:
            key = await self._safe.key(desk, self._means.clock())
            if await desk.vault.get(word.id) is None:
                return False
            former = [
                each
                for each in await desk.vault.of(kept.server, kept.email)
                if each.kind is VaultKind.OAUTH_ENTERPRISE
            ]
            if not former:
                await self._vouched(kept)
            for each in former:
                await desk.vault.remove(each.id)
            version = max((each.version for each in former), default=0) + 1
            kept = msgspec.structs.replace(kept, version=version)
            await desk.vault.add(self._safe.sealed(kept, tokens.content, key))
        self._held.pop((kept.server, kept.email), None)
        await self.look(kept.server, kept.email)
        return True

    async def _vouched(self, kept: Kept) -> None:
        facts = {"kind": kept.kind.value, "issuer": kept.issuer[:200], "provider": kept.name}
        act = Act(
            operation="credential.connected",
            server=kept.server[:128],
            facts={**facts, "user": kept.email[:128]},
        )
        await self._noted(act, "an identity provider vouches for the caller")

    async def _noted(self, act: Act, reason: str) -> None:
        """Before it is kept, as everything that is done. Raises StateError."""
        id, now = self._means.ids(), self._means.clock()
        try:
            await self._means.note(
                act_record(act, HOUSE, id=id, at=now, rule="house", reason=reason)
            )
        except LedgerError as error:
            raise StateError(f"it cannot be recorded: {error}") from error

    async def claim(self, held: Held) -> bool:
        now = self._means.clock()
        async with self._means.office.write() as desk:
            return await desk.vault.claim(held.kept.id, held.kept.version, now, now + CLAIM)

    async def refreshed(self, held: Held, content: Content, expires: float | None) -> bool:
        old = held.kept
        kept = msgspec.structs.replace(
            old,
            version=old.version + 1,
            rotated=self._means.clock(),
            expires=expires,
            used=None,
            trouble="",
        )
        done = await self._replaced(kept, content, old.version)
        self._held.pop((old.server, old.email), None)
        await self.look(old.server, old.email)
        return done

    async def _replaced(self, kept: Kept, content: Content, version: int) -> bool:
        """Tried for a while: the former tokens were used up for these, and nobody gets them anew.

        Raises StateError.
        """
        for wait in (*TRIES, None):
            try:
                async with self._means.office.write() as desk:
                    key = await self._safe.key(desk, kept.rotated)
                    return await desk.vault.replace(self._safe.sealed(kept, content, key), version)
            except StateError as error:
                if wait is None:
                    raise
                log.warning("vault.tokens.not_kept", server=kept.server, reason=str(error))
                await self._sleep(wait)
        raise AssertionError  # the last try returns or raises

    async def failed(self, held: Held, text: str) -> None:
        async with self._means.office.write() as desk:
            await desk.vault.trouble(held.kept.id, text[:300])
            await desk.vault.release(held.kept.id, held.kept.version)
        self._held.pop((held.kept.server, held.kept.email), None)

    async def stood_in(self, new: Held) -> None:
        """Once for each version, over all processes."""
        kept, now = new.kept, self._means.clock()
        text = (
            f"The new credential of {kept.server} is refused; the former one still works and is "
            f"used. Roll back (torhaus secrets rollback {kept.server}) or rotate again."
        )
        await self._tell_once(f"refused:{kept.id}:{kept.version}", text, kept, now)

    async def disown(self) -> int:
        """Forget what providers have said that no server goes by any more. Raises StateError."""
        wanted = {each.vouched for each in self._means.rules().servers.values()}
        async with self._means.office.read() as desk:
            rows = await desk.vault.every(MOST)
        of_providers = (VaultKind.IDENTITY, VaultKind.OAUTH_ENTERPRISE)
        left = {each.name for each in rows if each.kind in of_providers} - wanted
        gone = 0
        for provider in left:
            async with self._means.office.write() as desk:
                gone += await desk.vault.disown(provider)
        return gone

    async def remind(self) -> int:
        """Tell administrators of credentials that are old; returns how many. Raises StateError."""
        rotation, now = self._means.rules().rotation, self._means.clock()
        async with self._means.office.read() as desk:
            rows = await desk.vault.newest(0.0, MOST)  # everybody's first
        told, over = 0, set[str]()
        for kept in rows:
            found = aged(kept, rotation, now)
            if found is Aged.OVER:
                over.add(kept.server)
            if found is not None:
                told += await self._remind(kept, rotation, now)
        self.over = tuple(sorted(over))
        return told

    async def _remind(self, kept: Kept, rotation: Rotation, now: float) -> bool:
        """Once when it is due, once when it is over, and every week from then on."""
        age = now - kept.rotated
        days, limit = int(age // DAY), int(rotation.limit // DAY)
        stage, then = "warn", f"policy allows {limit} days"
        if age >= rotation.limit:
            weeks = int((age - rotation.limit) // (7 * DAY))
            stage = f"limit:{weeks}" if weeks else "limit"
            then += ", so it is not used any more" if rotation.enforce else ""
        text = (
            f"The credential of {kept.server} is {days} days old; {then}. "
            f"Rotate it: torhaus secrets rotate {kept.server}"
        )
        return await self._tell_once(f"age:{kept.id}:{kept.version}:{stage}", text, kept, now)

    async def _tell_once(self, key: str, text: str, kept: Kept, now: float) -> bool:
        async with self._means.office.write() as desk:
            if not await desk.access.tell_once(f"credential:{key}", now):
                return False
        self._means.announce(
            Announcement(
                kind=Kind.CREDENTIAL,
                text=text,
                at=now,
                to=administrators(self._means.rules(), kept.server, now),
                facts={"server": kept.server, "credential": kept.id, "kind": kept.kind.value},
            )
        )
        return True

    def _opened(self, kept: Kept) -> Held | None:
        try:
            return Held(kept, self._safe.opened(kept))
        except SealedError as error:
            log.error("vault.unreadable", server=kept.server, id=kept.id, reason=str(error))
            return None

    def _usable(self, found: tuple[Held, ...]) -> tuple[Held, ...]:
        """The current one first; a former one only as long as it may stand in."""
        now, rotation = self._means.clock(), self._means.rules().rotation
        since = max((each.kept.rotated for each in found), default=0.0)
        kept = [
            self._judged(each, rotation, now)
            for each in found
            if each.kept.state is Standing.CURRENT or now < since + rotation.grace
        ]
        kept.sort(key=lambda each: each.kept.state is not Standing.CURRENT)
        return tuple(kept)

    def _judged(self, held: Held, rotation: Rotation, now: float) -> Held:
        kept = held.kept
        old = now - kept.rotated >= rotation.limit
        if not (rotation.enforce and old and kept.kind in TYPED):
            return held
        days = int(rotation.limit // DAY)
        text = f"its credential is older than the {days} days that policy allows: rotate it"
        return msgspec.structs.replace(held, blocked=text)


async def rounds(purse: Purse, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Until cancelled: hear of other processes' changes, and tell people of old credentials."""
    number, well = 0, True
    while True:
        try:
            await purse.refresh()
            if number % 60 == 0:
                await purse.remind()
                await purse.disown()
        except StateError as error:
            if well:
                log.error("vault.unreachable", reason=str(error))
            well = False
        except Exception:  # the last line: a bug must not end the rounds
            log.exception("vault.round.failed")
        else:
            well = True
        number += 1
        await sleep(1.0)
