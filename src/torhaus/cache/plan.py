"""Whether a call's answer may come from the cache, and go into it."""

import msgspec

from torhaus.cache.key import canonical, key
from torhaus.model.caching import MAX_RESULT, CacheRule, Scope, Vary
from torhaus.model.call import Call
from torhaus.model.verdict import Allow

READ = frozenset({"read"})
OWN = Scope.USER
MAX_ARGUMENTS = 2048
"""Bytes of arguments that are kept beside an answer, to find it by."""


class Plan(msgspec.Struct, frozen=True, gc=False):
    """`key`: None for neither looking nor keeping. `ttl`: seconds. `tag`: `server.tool`.

    `owner`: the principal whose answer it is alone; None for a shared one.
    """

    key: bytes | None
    ttl: float = 0.0
    tag: str = ""
    rule: CacheRule | None = None
    owner: str | None = None


NO_PLAN = Plan(None)


class _Result(msgspec.Struct, frozen=True):
    """The part of a tool's result that says what kind of result it is."""

    failed: bool = msgspec.field(default=False, name="isError")
    kind: str = msgspec.field(default="complete", name="resultType")
    scope: str = msgspec.field(default="public", name="cacheScope")
    lasts: int | float = msgspec.field(default=1, name="ttlMs")
    task: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_RESULT = msgspec.json.Decoder(_Result)


def plan(call: Call, verdict: Allow, now: float = 0.0) -> Plan:
    """Only tool calls that read and nothing else, and that the configuration has a rule for.

    A call that answers a server's question (`retry`) belongs to one conversation. The caller is
    not part of the key unless the rule says so: who may use one upstream credential may see what
    it sees. Somebody agreed to an approved call being made: it is, and its answer is for nobody
    else. `now`: Unix seconds, for rules that vary on the caller's roles.
    """
    if call.retry or call.method != "tools/call" or verdict.actions != READ:
        return NO_PLAN
    if verdict.approved is not None:
        return NO_PLAN
    server = call.server
    rule = server.caching.rule(call.operation)
    if rule is None or rule.ttl <= 0.0:
        return NO_PLAN
    # What policy masks for one caller, it may not mask for another.
    also: list[object] = [] if verdict.redact is None else [["redacted", verdict.redact]]
    if rule.digest:
        also.append(rule.digest)
    owner = None
    # Whose account acts there decides what is seen: nobody has what another's account sees.
    if rule.scope is OWN or server.personal or (rule.vary_on and Vary.USER in rule.vary_on):
        owner = call.caller.id
        also.append(["user", owner])
    if rule.vary_on:
        also.append(_facets(call, rule, now))
    try:
        name = key(call, rule, also)
    except ValueError:
        return NO_PLAN  # nothing is lost but the saving
    return Plan(name, rule.ttl, f"{server.name}.{call.operation}", rule, owner)


def keepable(result: bytes, most: int = MAX_RESULT) -> bool:
    """Whether a tool's result (JSON text) may be kept: complete, no error, at most `most` bytes.

    What the result says about itself (`ttlMs: 0`, a private `cacheScope`) is heeded, and tasks
    are left out: their handles belong to whoever started them.
    """
    if len(result) > most:
        return False
    try:
        found = _RESULT.decode(result)
    except msgspec.MsgspecError:
        return False
    return (
        not found.failed
        and found.kind == "complete"
        and found.scope == "public"
        and found.lasts > 0
        and found.task is msgspec.UNSET
    )


def findable(call: Call) -> bytes:
    """The arguments as they are kept beside the answer; empty when they are too long.

    An answer without its arguments is forgotten by every invalidation of its tool.
    """
    text = canonical(call.arguments)
    return text if len(text) <= MAX_ARGUMENTS else b""


def _facets(call: Call, rule: CacheRule, now: float) -> list[object]:
    facets: list[object] = []
    if Vary.ROLES in rule.vary_on:
        facets.append(["roles", sorted(call.caller.roles(now))])
    if Vary.GROUPS in rule.vary_on:
        facets.append(["groups", sorted(call.caller.groups)])
    if Vary.CLIENT in rule.vary_on:
        facets.append(["client", call.client])
    return facets
