"""Acts on the cache: forgetting answers by hand."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.caching import Selector
from torhaus.model.desk import Desk
from torhaus.model.names import normal
from torhaus.model.ports import Cache
from torhaus.policy.approvers import may_administer

MAX_WHERE = 20
"""Arguments one purge can ask for."""


class PurgeCache(msgspec.Struct, frozen=True):
    """Forget what is kept of a server, of one of its tools, or of calls with these arguments."""

    server: str
    tool: str | None = None
    where: Mapping[str, str] = {}

    @property
    def selector(self) -> Selector:
        tag = self.server if self.tool is None else f"{self.server}.{normal(self.tool)}"
        return Selector(tag=tag, where=tuple(self.where.items()))


class Purged(msgspec.Struct, frozen=True):
    """How many kept answers went."""

    server: str
    tool: str | None
    dropped: int


Purging = Callable[[Desk, Scene, PurgeCache], Awaitable[Effect | Refusal]]


def purging(cache: Callable[[], Cache]) -> Purging:
    async def purge(_desk: Desk, scene: Scene, act: PurgeCache) -> Effect | Refusal:
        facts = {"tool": act.tool[:128]} if act.tool is not None else {}
        where = {name[:128]: value[:256] for name, value in list(act.where.items())[:MAX_WHERE]}
        tried = Act(
            operation="cache.purged",
            server=act.server[:128],
            facts={**facts, **({"where": where} if where else {})},
        )
        why = may_administer(scene.actor, act.server, scene.now)
        if why is not None:
            return Refusal("not_allowed", why, tried)
        if act.server not in scene.rules.servers:
            return Refusal("not_found", f"there is no server {act.server[:128]!r}", tried)
        if len(act.where) > MAX_WHERE:
            text = f"more than {MAX_WHERE} arguments are given"
            return Refusal("invalid", text, tried, "ask for fewer")
        dropped = await cache().purge(act.selector)
        done = msgspec.structs.replace(tried, before={"kept": dropped}, after={"dropped": dropped})
        return Effect(result=Purged(act.server, act.tool, dropped), act=done, rule="admin")

    return purge
