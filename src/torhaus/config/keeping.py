"""`caching` and `cache_invalidation` compiled, for each server."""

from collections.abc import Iterator, Mapping

import msgspec

from torhaus.config.caching import Forget, Keeping, ServerKeeping
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.config.upstreams import digest_of
from torhaus.model.caching import NO_CACHING, CacheRule, Caching, Invalidation, Scope, Vary
from torhaus.model.names import normal
from torhaus.model.servers import Server


def kept(source: Source, file: File, servers: Mapping[str, Server]) -> dict[str, Server]:
    """The servers with what is kept of their answers. Mistakes go to `source.problems`."""
    named = _Names(source, servers)
    tools: dict[str, dict[str, CacheRule]] = {name: {} for name in servers}
    other: dict[str, CacheRule] = {}
    for name, spec in file.mcpServers.items():
        if spec.cache is not None and spec.cache.ttl is not None:
            other[name] = rule(spec.cache)
    for key, block in file.caching.each().items():
        _read(named, key, block, tools, other)
    triggers = _triggers(named, file)
    _apart(source, file, servers)
    return {
        name: msgspec.structs.replace(
            server, caching=_caching(tools[name], other.get(name), triggers[name])
        )
        for name, server in servers.items()
    }


def _apart(source: Source, file: File, servers: Mapping[str, Server]) -> None:
    """Where callers have accounts of their own, none may have what another's account sees."""
    personal = {name for name, server in servers.items() if server.personal}
    blocks: list[tuple[Path, Keeping]] = []
    for name in personal:
        own = file.mcpServers[name].cache
        blocks += [] if own is None else [(("mcpServers", name, "cache"), own)]
    for key, block in file.caching.each().items():
        if key.replace(":", ".").partition(".")[0] in personal:
            below = block.__pydantic_extra__.items()
            blocks += [(("caching", key), block)]
            blocks += [(("caching", key, tool), each) for tool, each in below]
    for path, each in blocks:
        if each.type == "shared" and "type" in each.model_fields_set:
            message = "answers cannot be shared: callers have accounts of their own there"
            source.error((*path, "type"), message, "write `type: user-specific`")


def _caching(
    tools: dict[str, CacheRule],
    other: CacheRule | None,
    triggers: dict[str, list[Invalidation]],
) -> Caching:
    if not tools and other is None and not triggers:
        return NO_CACHING  # the gate knows it by sight
    untrue = {tool: tuple(found) for tool, found in triggers.items()}
    return Caching(tools=tools, other=other, triggers=untrue)


def rule(spec: Keeping) -> CacheRule:
    only = None if spec.key_args.only is None else sorted(spec.key_args.only)
    ignore = sorted(spec.key_args.ignore)
    return CacheRule(
        ttl=spec.ttl or 0.0,
        scope=Scope(spec.type),
        vary_on=frozenset(Vary(word) for word in spec.vary_on),
        max_entry=spec.max_entry,
        stale_while_revalidate=spec.stale_while_revalidate,
        stale_if_error=spec.stale_if_error,
        only=None if only is None else frozenset(only),
        ignore=frozenset(ignore),
        # Kept answers outlive a restart in Redis, and gateways may have different files for a
        # while: one that ignored an argument must not answer for one that does not.
        digest=digest_of("torhaus cache rule", [repr((spec.ttl, only, ignore))])[:8],
    )


def _read(
    named: "_Names",
    key: str,
    block: ServerKeeping,
    tools: dict[str, dict[str, CacheRule]],
    other: dict[str, CacheRule],
) -> None:
    path: Path = ("caching", key)
    server, tool = named.split(key)
    below = block.__pydantic_extra__
    if tool and below:
        source = named.source
        first = next(iter(below))
        message = f"{printable(key)} is one tool, and has no further ones"
        source.error((*path, first), message, f"write this under caching.{printable(server)}")
    if tool and block.ttl is None:
        named.source.error(path, "ttl is missing", "add `ttl: 5m`, or `ttl: 0` to keep nothing")
    if not tool and block.ttl is None and (block.model_fields_set & Keeping.model_fields.keys()):
        named.source.error(path, "ttl is missing", "add `ttl: 5m` for the server's other tools")
    if not named.server(server, path):
        return
    if not tool and block.ttl is not None:
        other[server] = rule(block)
    rules: list[tuple[Path, str, Keeping]] = [
        ((*path, name), name, each) for name, each in below.items()
    ]
    if tool:
        rules.append((path, tool, block))
    for here, name, each in rules:
        named.tool(server, name, here)
        if normal(name) in tools[server]:
            message = f"{printable(name)} of {server} has a rule already"
            named.source.error(here, message, "keep one of them")
        tools[server][normal(name)] = rule(each)


def _triggers(named: "_Names", file: File) -> dict[str, dict[str, list[Invalidation]]]:
    found: dict[str, dict[str, list[Invalidation]]] = {name: {} for name in named.servers}
    for index, spec in enumerate(file.cache_invalidation):
        path: Path = ("cache_invalidation", index)
        makes_untrue = tuple(_forgets(named, (*path, "invalidate"), spec.invalidate))
        for text in spec.trigger:
            server, tool = named.split(text)
            if not tool:
                message = f"{printable(text)} is no tool"
                named.source.error((*path, "trigger"), message, "write SERVER.TOOL")
            elif named.server(server, (*path, "trigger")):
                named.tool(server, tool, (*path, "trigger"))
                found[server].setdefault(normal(tool), []).extend(makes_untrue)
    return found


def _forgets(named: "_Names", path: Path, specs: tuple[Forget, ...]) -> Iterator[Invalidation]:
    for index, spec in enumerate(specs):
        here = (*path, index)
        server, tool = named.split(spec.tool)
        if not named.server(server, here):
            continue
        if tool:
            named.tool(server, tool, here)
        tag = f"{server}.{normal(tool)}" if tool else server
        yield Invalidation(tag=tag, where=tuple(spec.where.items()))


class _Names:
    """Servers and tools as this part of the file names them."""

    def __init__(self, source: Source, servers: Mapping[str, Server]) -> None:
        self.source = source
        self.servers = servers

    def split(self, text: str) -> tuple[str, str]:
        """`github.list_repos` or `github:list_repos`; the tool is empty when only a server."""
        for mark in (".", ":"):
            server, found, tool = text.partition(mark)
            if found:
                return server, tool
        return text, ""

    def server(self, name: str, path: Path) -> bool:
        if name in self.servers:
            return True
        close = meant(name, list(self.servers))
        fix = f"did you mean {close}?" if close else "add the server, or remove this"
        # A rule for a server that is not there keeps nothing and lets nobody in.
        self.source.warn(path, f"no server {printable(name)!r} is configured", fix)
        return False

    def tool(self, server: str, name: str, path: Path) -> None:
        """Doubt a tool that a server with a known catalogue does not have."""
        classes = self.servers[server].classes
        if classes and normal(name) not in classes:
            message = f"{server} has no tool {printable(name)!r} that Torhaus knows of"
            self.source.warn(path, message, "check the name with `torhaus tools`")
