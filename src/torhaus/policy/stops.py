"""Servers and tools that an administrator has stopped."""

from collections.abc import Iterable

import msgspec

from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.stops import Stop, StopKind
from torhaus.model.verdict import Deny
from torhaus.policy.approvers import administers
from torhaus.policy.asked import Asked, Trace
from torhaus.policy.house import may
from torhaus.policy.names import normal
from torhaus.policy.visible import may_use


def stopped(asked: Asked, trace: Trace) -> Deny | None:  # noqa: ARG001 -- it is one of the layers
    """Why nobody gets through to this server, or this tool, right now."""
    for stop in asked.call.server.stops:
        if stop.holds(asked.now) and _meets(stop, asked):
            return Deny(f"stop:{stop.id}", "stopped", _said(stop), asked.does.actions)
    return None


def shut(server: Server, now: float) -> Stop | None:
    """The stop of the whole server, where there is one."""
    return next((s for s in server.stops if s.kind is StopKind.SERVER and s.holds(now)), None)


def halted(server: Server, tool: str, now: float) -> str | None:
    """Why nobody waits any longer for a call of this tool (empty: for another request)."""
    for stop in server.stops:
        target = normal(stop.target.partition("/")[2])
        if stop.holds(now) and (stop.kind is StopKind.SERVER or target == normal(tool)):
            return _said(stop)
    return None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A stop, as far as somebody may know of it. `by` and `reason`: empty where he may not."""

    kind: StopKind
    target: str
    expires: float | None
    reason: str = ""
    by: str = ""


def shown(
    stops: Iterable[Stop], viewer: Principal | None, rules: Rules, now: float
) -> tuple[Shown, ...]:
    """Those in force that somebody may see; None: a stranger.

    Everybody sees which servers are stopped. Who may use a server sees why, as its callers are
    told, and its tools. Who could lift a stop sees all of it; people and keys are for him alone.
    """
    told = (_told(each, viewer, rules, now) for each in stops if each.holds(now))
    return tuple(each for each in told if each is not None)


def _told(stop: Stop, viewer: Principal | None, rules: Rules, now: float) -> Shown | None:
    found = Shown(kind=stop.kind, target=stop.target, expires=stop.expires)
    why = msgspec.structs.replace(found, reason=stop.reason)
    server = rules.servers.get(stop.target.partition("/")[0])
    of_server = stop.kind in (StopKind.SERVER, StopKind.TOOL)
    if viewer is not None:
        owns = of_server and server is not None and administers(viewer, server.name, now)
        if owns or may(viewer, "stops", now) is None:
            return msgspec.structs.replace(why, by=stop.created_by)
        if of_server and server is not None and may_use(viewer, server, now):
            return why
    return found if stop.kind is StopKind.SERVER else None


def _meets(stop: Stop, asked: Asked) -> bool:
    """Also a tool that another one runs."""
    if stop.kind is StopKind.SERVER:
        return True
    if asked.call.method != "tools/call":
        return False
    target = normal(stop.target.partition("/")[2])
    return target in (normal(asked.call.operation), normal(asked.does.tool))


def _said(stop: Stop) -> str:
    return (
        f"An administrator has stopped {stop.target}: {stop.reason.rstrip('.')}. "
        f"Wait until it is lifted, or ask an administrator."
    )
