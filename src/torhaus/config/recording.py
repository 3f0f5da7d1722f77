"""`audit_logs.parameters`: what records hold of calls' arguments, compiled for each server."""

from collections.abc import Mapping

import msgspec

from torhaus.config.auditing import ServerParameters
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.model.auditing import WHOLE, Extent, Recorded
from torhaus.model.names import normal
from torhaus.model.servers import Server


def recorded(source: Source, file: File, servers: Mapping[str, Server]) -> dict[str, Server]:
    """The servers with what is recorded of their calls. Mistakes go to `source.problems`."""
    logs = file.audit_logs
    for name in logs.parameters.servers:
        if name not in servers:
            close = meant(name, list(servers))
            fix = f"did you mean {close}?" if close else "add the server, or remove this"
            path: Path = ("audit_logs", "parameters", "servers", name)
            # No warning: whoever misspells it would have all arguments recorded.
            source.error(path, f"no server {printable(name)!r} is configured", fix)
    default, most = Extent(logs.parameters.default), logs.max_parameters
    return {
        name: msgspec.structs.replace(
            server,
            recorded=_recorded(
                source, server, logs.parameters.servers.get(name), default=default, most=most
            ),
        )
        for name, server in servers.items()
    }


def _recorded(
    source: Source,
    server: Server,
    spec: ServerParameters | None,
    *,
    default: Extent,
    most: int,
) -> Recorded:
    tools: dict[str, Extent] = {}
    if spec is not None:
        default = default if spec.default is None else Extent(spec.default)
        path: Path = ("audit_logs", "parameters", "servers", server.name, "tools")
        for tool, extent in spec.tools.items():
            _doubt(source, server, (*path, tool), tool)
            if normal(tool) in tools:
                message = f"{printable(tool)} is given already"
                source.error((*path, tool), message, "keep one of them")
            tools[normal(tool)] = Extent(extent)
    whole = {default, *tools.values()} == {Extent.FULL}
    made = Recorded(default=default, tools=tools, most=most, whole=whole)
    return WHOLE if made == WHOLE else made


def _doubt(source: Source, server: Server, path: Path, tool: str) -> None:
    if server.classes and normal(tool) not in server.classes:
        message = f"{server.name} has no tool {printable(tool)!r} that Torhaus knows of"
        source.warn(path, message, "check the name with `torhaus tools`")
