"""Stops of servers and tools, laid over rules that are in force."""

from collections.abc import Iterable

import msgspec

from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.stops import Stop, StopKind


def with_stops(rules: Rules, stops: Iterable[Stop]) -> Rules:
    """The same rules with these stops; the very same where nothing changes.

    A server whose stops change is another object: what was remembered of it is not believed.
    """
    about: dict[str, list[Stop]] = {}
    for stop in stops:
        if stop.kind in (StopKind.SERVER, StopKind.TOOL):
            about.setdefault(stop.target.partition("/")[0], []).append(stop)
    servers = {
        name: _stopped(server, tuple(about.get(name, ()))) for name, server in rules.servers.items()
    }
    if all(servers[name] is server for name, server in rules.servers.items()):
        return rules
    return msgspec.structs.replace(rules, servers=servers)


def _stopped(server: Server, stops: tuple[Stop, ...]) -> Server:
    return server if server.stops == stops else msgspec.structs.replace(server, stops=stops)
