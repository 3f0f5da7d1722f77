"""Credentials that crossed a network in the clear: they end, and people are told."""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256

import msgspec
import structlog

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.means import Means
from torhaus.admin.perform import Admin, Work
from torhaus.audit.acts import Act
from torhaus.identity.identify import key_id
from torhaus.model.desk import Desk
from torhaus.model.live import Live
from torhaus.model.names import HOUSE
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError

log = structlog.get_logger()

AGAIN = 3600.0
"""Seconds until the same key of the file is told of again: it cannot be ended from here."""
MOST = 1024
WHY = "it came unencrypted over a public network"


class EndExposed(msgspec.Struct, frozen=True):
    """`digest`: of the credential; `ip`: where it came from."""

    digest: bytes
    ip: str


async def end_exposed(desk: Desk, scene: Scene, act: EndExposed) -> Effect | Refusal:
    """With all that hangs together with it: whoever read along may have the rest too."""
    tried = Act(operation="credential.exposed", facts={"from": act.ip})
    kept = await desk.credentials.get(act.digest)
    if kept is None or kept.ended is not None:
        return Refusal("not_found", "this credential has ended already", tried)
    found, by = kept.credential, scene.actor.email
    if found.family:
        ended = await desk.families.end(found.family, by, WHY, scene.now)
    else:
        await desk.credentials.end(found.digest, by, scene.now)
        ended = (found.digest,)
    facts = {"from": act.ip, "key": found.id, "person": found.email, "ended": len(ended)}
    done = Act(operation=tried.operation, facts=facts, before={"label": found.label})
    return Effect(result=found, act=done, rule=HOUSE, ended=ended)


EXPOSURE_WORKS: Mapping[type, Work] = {EndExposed: end_exposed}


class Exposure:
    """Owned by one event loop. `tell`: of a key of the file, with its owner, id and the address."""

    def __init__(
        self, means: Means, admin: Admin, live: Live, tell: Callable[[str, str, str], None]
    ) -> None:
        self._means = means
        self._admin = admin
        self._live = live
        self._tell = tell
        self._told: dict[bytes, float] = {}
        self._ending: dict[bytes, asyncio.Task[None]] = {}
        self.served: str | None = None
        """The first address beyond this machine that was served without TLS."""

    def open_served(self, ip: str) -> None:
        if self.served is None:
            self.served = ip
            fix = "serve https (server.tls), or put a proxy in front and name it in trusted_proxies"
            log.warning("plaintext.served", ip=ip, fix=fix)

    def note(self, secret: bytes, ip: str) -> None:
        """A credential came in the clear from an address that must not do that."""
        digest = sha256(secret).digest()
        whose = self._means.rules().keys.get(digest)
        if whose is not None:
            now = self._means.clock()
            if self._told.get(digest, -AGAIN) + AGAIN > now:
                return
            if len(self._told) >= MOST:
                self._told.clear()
            self._told[digest] = now
            log.warning("credential.exposed", key=key_id(digest), ip=ip, fix="replace this key")
            self._tell(whose.email, key_id(digest), ip)
        elif digest not in self._ending and self._live.find(digest) is not None:
            task = asyncio.get_running_loop().create_task(self._end(digest, ip))
            self._ending[digest] = task
            task.add_done_callback(lambda _: self._ending.pop(digest, None))

    async def _end(self, digest: bytes, ip: str) -> None:
        actor = Principal(id=HOUSE, email=HOUSE)
        try:
            await self._admin.perform(actor, EndExposed(digest, ip), ip)
        except (StateError, LedgerError) as error:
            log.error("credential.exposed", ip=ip, error=f"it could not be ended: {error}")
        else:
            log.warning("credential.exposed", ip=ip, ended=True)

    async def close(self) -> None:
        await asyncio.gather(*self._ending.values(), return_exceptions=True)
