"""`virtual_servers` compiled: what of which server, under which names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.config.virtual import AggregateSpec, VirtualServerSpec
from torhaus.mcp.message import twins
from torhaus.model.access import Glob
from torhaus.model.servers import Server
from torhaus.model.views import ALONE, WHOLE, Aggregation, Discovery, Pick, View
from torhaus.policy.globs import compile_glob, with_case
from torhaus.policy.names import normal

APP = "ui://"
LONGEST = 64
"""Characters of a tool's name that all models take."""


def aggregation(file: File) -> Aggregation:
    told = file.aggregate
    return Aggregation(deadline=told.deadline, fresh=told.fresh, prefix=told.client_prefix)


def views(source: Source, file: File, servers: Mapping[str, Server]) -> Mapping[str, View]:
    """All addresses with several servers behind them. Mistakes go to `source.problems`."""
    if not file.virtual_servers and file.aggregate == AggregateSpec():
        return ALONE
    told = file.aggregate
    aliases = _aliases(source, told, servers)
    found = {"": View(aliases=aliases, discovery=Discovery(told.discovery))}
    for slug, spec in file.virtual_servers.items():
        path: Path = ("virtual_servers", slug)
        if slug in servers:
            message = f"a server is called {slug} already, and both would be at /mcp/{slug}"
            source.error(path, message, "choose another name")
        found[slug] = _Picking(source, path, servers, told.client_prefix).view(slug, spec)
    return found


def _aliases(
    source: Source, told: AggregateSpec, servers: Mapping[str, Server]
) -> Mapping[tuple[str, str], str]:
    """(server, tool) -> its shorter name. No alias looks like SERVER__TOOL, so none is taken."""
    found: dict[tuple[str, str], str] = {}
    for name, written in told.aliases.items():
        path: Path = ("aggregate", "aliases", name)
        server, _, tool = written.partition("__")
        if not tool or "*" in written or "?" in written:
            source.error(path, "this is no single tool", "write SERVER__TOOL")
        elif server not in servers:
            close = meant(server, [*servers])
            fix = f"did you mean {close}?" if close else "add it under mcpServers, or remove it"
            source.error(path, f"there is no server {printable(server)!r}", fix)
        elif (server, tool) in found:
            message = f"this tool is called {found[server, tool]} already"
            source.error(path, message, "remove one of the two")
        else:
            found[server, tool] = name
            _doubt_long(source, path, name, told.client_prefix)
    return found


def _doubt_long(source: Source, path: Path, name: str, prefix: str) -> None:
    if len(prefix) + len(name) > LONGEST:
        after = f" after {prefix}" if prefix else ""
        message = f"the name is longer than {LONGEST} characters{after}, which some models refuse"
        source.warn(path, message, "give it a shorter one")


@dataclass(slots=True)
class _Parts:
    """What is picked of one server. None: all of that kind."""

    tools: list[Glob | None] = field(default_factory=list)
    prompts: list[Glob | None] = field(default_factory=list)
    resources: list[Glob | None] = field(default_factory=list)

    def pick(self) -> Pick:
        return Pick(
            tools=_whole(self.tools),
            prompts=_whole(self.prompts),
            resources=_whole(self.resources),
        )


def _whole(patterns: list[Glob | None]) -> tuple[Glob, ...] | None:
    kept = tuple(each for each in patterns if each is not None)
    return kept if len(kept) == len(patterns) else None


@dataclass(slots=True)
class _Picking:
    """One virtual server's."""

    source: Source
    path: Path
    servers: Mapping[str, Server]
    prefix: str
    parts: dict[str, _Parts] = field(default_factory=dict)

    def view(self, slug: str, spec: VirtualServerSpec) -> View:
        whole = [name for n, name in enumerate(spec.servers) if self._known("servers", n, name)]
        for kind, written in (("tools", spec.tools), ("prompts", spec.prompts)):
            for number, text in enumerate(written):
                self._named(kind, number, text)
        self._doubt_long(spec)
        for number, text in enumerate(spec.resources):
            self._addressed(number, text)
        picks = {name: parts.pick() for name, parts in self.parts.items()}
        picks |= dict.fromkeys(whole, WHOLE)
        if not (spec.servers or spec.tools or spec.prompts or spec.resources):
            self.source.error(self.path, "nothing is in it", "add servers or tools")
        return View(
            name=slug,
            description=spec.description or "",
            instructions=(spec.instructions or "").strip(),
            picks=picks,
            renamed=self._renamed(picks, spec),
            fixed=self._fixed(picks, spec),
            discovery=Discovery(spec.discovery),
        )

    def _doubt_long(self, spec: VirtualServerSpec) -> None:
        for number, text in enumerate(spec.tools):
            if text not in spec.rename and not {"*", "?"} & {*text}:
                _doubt_long(self.source, (*self.path, "tools", number), text, self.prefix)
        for text, name in spec.rename.items():
            _doubt_long(self.source, (*self.path, "rename", text), name, self.prefix)

    def _known(self, kind: str, number: int, name: str) -> bool:
        if name in self.servers:
            return True
        self._stranger((*self.path, kind, number), name)
        return False

    def _stranger(self, path: Path, name: str) -> None:
        close = meant(name, [*self.servers])
        fix = f"did you mean {close}?" if close else "add it under mcpServers, or remove it here"
        self.source.error(path, f"there is no server {printable(name)!r}", fix)

    def _named(self, kind: str, number: int, text: str) -> None:
        path: Path = (*self.path, kind, number)
        server, between, rest = text.partition("__")
        if not (server and between and rest):
            what = kind.removesuffix("s").upper()
            self.source.error(path, "this names no server", f"write SERVER__{what}")
            return
        self._put(path, kind, server, rest)

    def _addressed(self, number: int, text: str) -> None:
        path: Path = (*self.path, "resources", number)
        if text.startswith(APP):
            server, slash, rest = text.removeprefix(APP).partition("/")
            rest = APP + rest if slash else ""
        else:
            server, _, rest = text.partition("+")
        if not (server and rest):
            self.source.error(path, "this names no server", "write SERVER+URI, or ui://SERVER/…")
            return
        self._put(path, "resources", server, rest)

    def _put(self, path: Path, kind: str, server: str, rest: str) -> None:
        try:
            meant_by, pattern = compile_glob(server), None if rest == "*" else compile_glob(rest)
        except ValueError as error:
            self.source.error(path, str(error), "correct the pattern")
            return
        if kind == "resources" and pattern is not None:
            pattern = with_case(pattern)  # another case may be another folder
        found = [name for name in self.servers if meant_by.pattern.fullmatch(name)]
        if not found:
            self._stranger(path, server)
        for name in found:
            getattr(self.parts.setdefault(name, _Parts()), kind).append(pattern)

    # -- single tools --------------------------------------------------------------------------

    def _tool(self, picks: Mapping[str, Pick], key: str, written: str) -> tuple[str, str] | None:
        """Server and tool of a key under `rename` or `fixed`, if it is a tool of this view."""
        path: Path = (*self.path, key, written)
        server, _, tool = written.partition("__")
        pick = picks.get(server)
        if not tool or "*" in written or "?" in written:
            self.source.error(path, "this is no single tool", "write SERVER__TOOL")
        elif pick is None:
            self.source.error(path, "the tool's server is no part of this", "add it to tools")
        elif pick.tools is not None and not any(g.pattern.fullmatch(tool) for g in pick.tools):
            self.source.error(path, "the tool is no part of this", "add it to tools")
        else:
            return server, tool
        return None

    def _renamed(
        self, picks: Mapping[str, Pick], spec: VirtualServerSpec
    ) -> Mapping[tuple[str, str], str]:
        renamed: dict[tuple[str, str], str] = {}
        for written, name in spec.rename.items():
            place = self._tool(picks, "rename", written)
            if place is None:
                continue
            if name in renamed.values():
                path: Path = (*self.path, "rename", written)
                self.source.error(path, "two tools have the same name", "choose another")
            renamed[place] = name
        return renamed

    def _fixed(
        self, picks: Mapping[str, Pick], spec: VirtualServerSpec
    ) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        fixed: dict[tuple[str, str], Mapping[str, Any]] = {}
        for written, arguments in spec.fixed.items():
            place = self._tool(picks, "fixed", written)
            if place is None:
                continue
            key = (place[0], normal(place[1]))
            path: Path = (*self.path, "fixed", written)
            twin = twins(arguments)
            if key in fixed:
                self.source.error(path, "this tool is written twice", "remove one")
            elif twin is not None:
                message = f"{printable(twin)!r} stands twice, in different spellings of case"
                self.source.error(path, message, "keep one: no call may hold both")
            fixed[key] = arguments
        return fixed
