"""`limits` and `plans` compiled."""

from zoneinfo import ZoneInfo

from torhaus.config.limits import LimitSpec, PlanSpec
from torhaus.config.schema import File
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.access import Glob
from torhaus.model.limits import (
    NO_LIMITS,
    Allowance,
    LimitRule,
    Limits,
    Pace,
    Per,
    Slots,
)
from torhaus.model.servers import Window


def limits(words: Words, file: File) -> Limits:
    """Mistakes go to the source's problems."""
    if not file.limits and not file.plans:
        return NO_LIMITS
    names: dict[str, int] = {}
    rules = []
    for index, spec in enumerate(file.limits):
        path: Path = ("limits", index)
        if spec.name in names:
            line = words.source.line(("limits", names[spec.name]))
            message = f"a limit on line {line} has this name already"
            words.source.error((*path, "name"), message, "budgets go by name: choose another")
        names.setdefault(spec.name, index)
        rules.append(_rule(words, path, spec))
    zone = ZoneInfo(words.zone)
    plans = tuple(
        _allowance(words, ("plans", name), name, plan, zone) for name, plan in file.plans.items()
    )
    return Limits(rules=tuple(rules), allowances=plans)


def _rule(words: Words, path: Path, spec: LimitSpec) -> LimitRule:
    servers = set()
    for here, name in words.each((*path, "servers"), spec.servers):
        if words.server(name, here, holds_back=True):
            servers.add(name)
    for kind, names in (("role", spec.roles), ("group", spec.groups), ("user", spec.users)):
        for here, name in words.each((*path, f"{kind}s"), names):
            words.member(kind, name.casefold() if kind == "user" else name, here)
    own, tools = _tools(words, (*path, "tools"), spec)
    servers |= own
    everywhere = "*" in servers or not (spec.servers or own)
    return LimitRule(
        name=spec.name,
        per=Per(spec.per),
        budget=_budget(spec),
        # A limit whose servers are all unknown must not come to hold for every server.
        servers=frozenset() if everywhere else frozenset(servers or {""}),
        tools=tools,
        roles=frozenset(spec.roles),
        groups=frozenset(spec.groups),
        users=frozenset(name.casefold() for name in spec.users),
        by_server=spec.each is not None,
        by_tool=spec.each == "tool",
        hits=spec.count == "all",
    )


def _tools(words: Words, path: Path, spec: LimitSpec) -> tuple[set[str], tuple[Glob, ...]]:
    """Globs over tools, and the servers that `github.create_*` names."""
    if not spec.servers:
        for here, text in words.each(path, spec.tools):
            server = text.replace(":", ".").partition(".")[0]
            if server != text:
                words.server(server, here, holds_back=True)
    found = words.tools(path, spec.tools)
    own = {server for server, _ in found if server is not None}
    if own and (len(own) > 1 or any(server is None for server, _ in found) or spec.servers):
        message = "these tools are of different servers"
        words.source.error(path, message, "write one limit for each server")
    return own, tuple(glob for _, glob in found)


def _budget(spec: LimitSpec) -> Window | Pace | Slots:
    if spec.requests is None or spec.window is None:
        return Slots(spec.concurrent or 1, spec.lease)
    if spec.burst is not None:
        return Pace(spec.requests, spec.window, spec.burst)
    return Window(spec.requests, spec.window)


def _allowance(words: Words, path: Path, name: str, spec: PlanSpec, zone: ZoneInfo) -> Allowance:
    for here, group in words.each((*path, "groups"), spec.groups):
        words.member("group", group, here)
    return Allowance(
        name=name,
        zone=zone,
        calls=spec.calls_per_month,
        users=spec.users,
        groups=frozenset(spec.groups),
        hits=spec.count == "all",
    )
