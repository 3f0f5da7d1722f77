"""`policies` compiled: each with the callers and servers it is for."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from torhaus.config.policies import PolicySpec, Target, TimeSpec
from torhaus.config.schema import File
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.access import Effect, Glob, Hours, Policy

# A caller has to fit each of these: (`role`, `user` or `group`; any of these names).
Who = tuple[tuple[str, frozenset[str]], ...]
_ONE_LIST = ("tools", "actions", "types")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`servers` None: all. `tools`: (server or None, glob), or None for every tool."""

    policy: Policy
    path: Path
    who: Who = ()
    servers: frozenset[str] | None = None
    tools: tuple[tuple[str | None, Glob], ...] | None = None

    def on(self, server: str) -> Policy | None:
        """The policy as it stands on a server (`*`: one without rules of its own), if it does."""
        if self.servers is not None and server not in self.servers:
            return None
        if self.tools is None:
            return self.policy
        globs = tuple(glob for where, glob in self.tools if where in (None, server))
        return msgspec.structs.replace(self.policy, tools=globs) if globs else None

    def fits(self, roles: Iterable[str], groups: Iterable[str], user: str) -> bool:
        held = {"role": frozenset(roles), "group": frozenset(groups), "user": frozenset((user,))}
        return all(names & held[kind] for kind, names in self.who)


def rules(words: Words, file: File) -> tuple[Rule, ...]:
    """In the file's order. Mistakes go to the source's problems."""
    found = []
    names: dict[str, int] = {}
    for index, spec in enumerate(file.policies):
        path: Path = ("policies", index)
        if spec.name in names:
            line = words.source.line(("policies", names[spec.name]))
            message = f"a policy on line {line} has this name already"
            words.source.warn((*path, "name"), message, "verdicts name policies: choose another")
        names.setdefault(spec.name, index)
        found.append(_rule(words, path, spec))
    return tuple(found)


def _rule(words: Words, path: Path, spec: PolicySpec) -> Rule:
    targets = _Targets(words, path, spec)
    _approvers(words, (*path, "approvers"), spec.approvers)
    clients = None if spec.clients is None else frozenset(map(str.casefold, spec.clients))
    policy = Policy(
        name=spec.name,
        effect=Effect(spec.action),
        actions=targets.actions,
        types=targets.types,
        hours=None if spec.time is None else hours(spec.time, words.zone),
        networks=spec.networks,
        clients=clients,
        when=words.when(spec.when, path, spec.time.timezone if spec.time else None),
        approvers=spec.approvers,
        reason=spec.reason or "",
    )
    return Rule(
        policy=policy, path=path, who=targets.who, servers=targets.servers, tools=targets.tools
    )


def hours(spec: TimeSpec, zone: str) -> Hours:
    """`zone`: for hours that name none."""
    whole = Hours(zone=ZoneInfo(spec.timezone or zone), holidays=frozenset(spec.holidays))
    if spec.weekdays is not None:
        whole = msgspec.structs.replace(whole, days=spec.weekdays)
    return whole if spec.hours is None else msgspec.structs.replace(whole, windows=spec.hours)


def _approvers(words: Words, path: Path, names: Sequence[str]) -> None:
    for here, name in words.each(path, names):
        if words.is_somebody(name):
            continue
        known = (*words.roles, *words.groups, *words.users)
        fix = words.fix(name, here, known, "name a role, a group or a user")
        words.source.error(here, f"nobody is called {words.shown(here, name)}", fix)


class _Targets:
    """`applies_to`: entries of a list must all fit, values of one key need not."""

    def __init__(self, words: Words, path: Path, spec: PolicySpec) -> None:
        self._words = words
        self._who: list[tuple[str, frozenset[str]]] = []
        self.servers: frozenset[str] | None = None
        self.tools: tuple[tuple[str | None, Glob], ...] | None = None
        self.actions: frozenset[str] = frozenset()
        self.types: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        here = (*path, "applies_to")
        many = isinstance(words.source.nodes(here)[-1].value, list)
        for index, target in enumerate(spec.applies_to or ()):
            self._add((*here, index) if many else here, target)

    @property
    def who(self) -> Who:
        return tuple(dict.fromkeys(self._who))

    def _add(self, path: Path, target: Target) -> None:
        for key in target.model_fields_set:
            names = getattr(target, key)
            if names is None or not names:
                message, fix = "nothing is listed", "list something, or remove the key"
                self._words.source.error((*path, key), message, fix)
                continue
            if key in _ONE_LIST and key in self._seen:
                message = f"{key} must fit twice: several entries mean that all must fit"
                self._words.source.error((*path, key), message, f"write one list: {key}: [a, b]")
            self._seen.add(key)
            getattr(self, f"_add_{key}", partial(self._somebody, key))((*path, key), names)

    def _somebody(self, kind: str, path: Path, names: Sequence[str]) -> None:
        if kind == "user":
            names = [name.lower() for name in names]
        for here, name in self._words.each(path, names):
            self._words.member(kind, name, here)
        self._who.append((kind, frozenset(names)))

    def _add_mcp_servers(self, path: Path, names: Sequence[str]) -> None:
        found: set[str] = set()
        for here, name in self._words.each(path, names):
            found.update(self._servers(here, name))
        if self.servers and found and self.servers.isdisjoint(found):
            message = "this never applies: no server is in all the lists, and all must fit"
            self._words.source.warn(path, message, "write one list: mcp_servers: [a, b]")
        self.servers = frozenset(found) if self.servers is None else self.servers & found

    def _servers(self, path: Path, text: str) -> Iterable[str]:
        """`firebase`, or `firebase:production`: only if that is its environment."""
        name, colon, environment = text.partition(":")
        if not self._words.server(name, path, holds_back=True):
            return ()
        if name == "*":
            return (*self._words.servers, "*")
        is_in = self._words.servers[name].environment
        if not colon or is_in == environment:
            return (name,)
        known = f"its environment is {is_in}" if is_in else "it has no environment"
        message = f"this never applies to the server {name}: {known}"
        fix = f"set mcpServers.{name}.environment: {environment}, or write {name} alone"
        self._words.source.warn(path, message, fix)
        return ()

    def _add_tools(self, path: Path, names: Sequence[str]) -> None:
        self.tools = tuple(self._words.tools(path, names))

    def _add_actions(self, path: Path, names: Sequence[str]) -> None:
        self.actions = self._all(path, names, self._words.action)

    def _add_types(self, path: Path, names: Sequence[str]) -> None:
        self.types = self._all(path, names, self._words.type)

    def _all(
        self, path: Path, names: Sequence[str], check: Callable[[str], None]
    ) -> frozenset[str]:
        for here, name in self._words.each(path, names):
            self._words.read(here, partial(check, name))
        return frozenset() if "*" in names else frozenset(names)
