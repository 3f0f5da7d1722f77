"""Lists and contents that their server allows to be kept (`ttlMs`, `cacheScope`; checklist A.6)."""

from collections.abc import Awaitable, Callable

import msgspec

from torhaus.cache.hints import hint, hinted_key, remaining, tag_of
from torhaus.cache.plan import findable
from torhaus.gate.lists import UNREADABLE
from torhaus.mcp.methods import UPDATED
from torhaus.model.caching import Selector
from torhaus.model.call import Call
from torhaus.model.outcome import Answer, Answered, Outcome, Served
from torhaus.model.ports import Cache, Entry, Miss, Notice, UpstreamError
from torhaus.model.servers import Era
from torhaus.model.verdict import Allow

CHANGES = {
    "notifications/tools/list_changed": ("tools/list",),
    "notifications/prompts/list_changed": ("prompts/list",),
    "notifications/resources/list_changed": ("resources/list", "resources/templates/list"),
}


async def hinted(
    cache: Cache,
    call: Call,
    verdict: Allow,
    now: float,
    era: Era,
    fetch: Callable[[], Awaitable[Outcome]],
) -> Outcome:
    """The kept answer, or what `fetch` brings, kept as long as its server says. `now`: Unix time.

    A public one is for all users of one credential, a private one for its caller.
    """
    own, shared = (hinted_key(call, public=public) for public in (False, True))
    if own is None or shared is None:
        return await fetch()
    tag = tag_of(call)
    found: Entry | Miss = await cache.find(own, tag, now)
    if isinstance(found, Miss):
        found = await cache.find(shared, tag, now)
    if isinstance(found, Entry):
        if found.era is era:
            return _hit(found, verdict, now)
        return await fetch()
    outcome = await fetch()
    if not isinstance(outcome, Answered) or outcome.answer.result is None:
        return outcome
    result = outcome.answer.result
    allowed = hint(result)
    public = allowed.public and not call.server.personal
    if allowed.seconds > 0:
        entry = Entry(
            result=result,
            era=era,
            stored=now,
            expires=now + allowed.seconds,
            arguments=findable(call),
            owner=None if public else call.caller.id,
        )
        await cache.keep(shared if public else own, entry, tag, found.stamp)
    return msgspec.structs.replace(outcome, cacheable=allowed.seconds > 0)


def _hit(entry: Entry, verdict: Allow, now: float) -> Answered:
    try:
        private = entry.owner is not None
        result = remaining(entry.result, entry.expires - now, private=private)
    except UNREADABLE as error:
        raise UpstreamError("it sent a result that cannot be read") from error
    return Answered(
        verdict,
        Answer(result=result),
        cached=True,
        age=now - entry.stored,
        cacheable=True,
        served=Served.HIT,
    )


def outdated(server: str, notice: Notice) -> tuple[Selector, ...]:
    """What a server's notification makes untrue."""
    if notice.method == UPDATED:
        uri = _uri(notice.body)
        where = () if uri is None else (("uri", uri),)
        return (Selector(tag=f"{server}.resources/read", where=where),)
    methods = CHANGES.get(notice.method or "", ())
    return tuple(Selector(tag=f"{server}.{method}") for method in methods)


def _uri(body: bytes) -> str | None:
    try:
        uri = msgspec.json.decode(body)["params"]["uri"]
    except (*UNREADABLE, KeyError, TypeError):
        return None
    return uri if isinstance(uri, str) else None
