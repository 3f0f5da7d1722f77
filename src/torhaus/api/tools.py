"""`/api/v1/servers/{server}/tools`: the pinned catalogue."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from torhaus.admin.tools import AcceptTool, RejectTool
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given, Taken
from torhaus.audit.shape import timestamp
from torhaus.gate.shelf import Shelf
from torhaus.model.pins import Definition
from torhaus.model.servers import Server
from torhaus.policy.inventory import Entry
from torhaus.policy.pins import differences

ServerName = Annotated[str, Path(max_length=128, description="The server's name.")]
ToolName = Annotated[str, Path(max_length=1024, description="The tool's name.")]


class Looked(Taken):
    """Which definition a decision is about."""

    digest: Annotated[
        str,
        Field(pattern=r"^[0-9a-f]{64}$", description="`offered` of the tool that was looked at."),
    ]


class FindingOut(Given):
    """Something suspicious in a definition."""

    where: str
    code: str
    text: str


class ToolOut(Given):
    """One tool: what it counts as, and how it stands with the pinned catalogue."""

    name: str
    standing: Annotated[
        str,
        Field(description="accepted, new, changed, rejected, gone, withheld, or listed."),
    ]
    refused: Annotated[str | None, Field(description="Why nobody can call it now.")]
    actions: list[str]
    type: str
    tags: list[str]
    targets: list[str]
    source: Annotated[str, Field(description="config, table, name, annotations or unknown.")]
    argument: Annotated[str | None, Field(description="The argument that decides the action.")]
    dispatches: bool
    accepted: Annotated[str | None, Field(description="SHA-256 of what is accepted.")]
    accepted_by: str | None
    accepted_at: str | None
    offered: Annotated[str | None, Field(description="SHA-256 of what waits to be accepted.")]
    since: str | None
    findings: list[FindingOut]

    @classmethod
    def of(cls, entry: Entry) -> "ToolOut":
        judged, pin, deny = entry.judged, entry.pin, entry.deny
        return cls(
            name=judged.name,
            standing=entry.standing,
            refused=entry.withheld if deny is None else deny.reason,
            actions=list(judged.actions),
            type=judged.type,
            tags=list(judged.tags),
            targets=list(judged.targets),
            source=judged.source,
            argument=judged.argument,
            dispatches=judged.dispatches,
            accepted=None if pin is None else _digest(pin.accepted),
            accepted_by=None if pin is None else pin.accepted_by,
            accepted_at=None if pin is None else _time(pin.accepted_at),
            offered=None if pin is None else _digest(pin.offered),
            since=None if pin is None else _time(pin.since),
            findings=[FindingOut(where=f.where, code=f.code, text=f.text) for f in entry.findings],
        )


class DiffOut(Given):
    """What differs between what is accepted and what the server offers."""

    server: str
    name: str
    standing: str
    accepted: str | None
    offered: str | None
    lines: Annotated[list[str], Field(description="As `diff -u` writes them; empty: the same.")]
    findings: list[FindingOut]

    @classmethod
    def of(cls, server: str, entry: Entry) -> "DiffOut":
        tool, pin = ToolOut.of(entry), entry.pin
        waits = pin is not None and pin.offered is not None
        return cls(
            server=server,
            name=tool.name,
            standing=tool.standing,
            accepted=tool.accepted,
            offered=tool.offered,
            lines=list(differences(pin.accepted, pin.offered)) if pin and waits else [],
            findings=tool.findings,
        )


class Room:
    """What an administrator may reach. Every method raises ProblemError."""

    def __init__(self, backstage: Backstage, shelf: Shelf) -> None:
        self._backstage = backstage
        self._shelf = shelf

    def server(self, who: Caller, name: str) -> Server:
        """For one of its administrators; nobody else learns whether it exists."""
        self._backstage.governing(who, name)
        server = self._backstage.rules().servers.get(name)
        if server is None:
            text = f"this needs somebody with admin permission on {name}"
            raise ProblemError(403, "not_allowed", text)
        return server

    def entries(self, who: Caller, server: str) -> list[ToolOut]:
        return [ToolOut.of(each) for each in self._shelf.entries(self.server(who, server))]

    def entry(self, who: Caller, server: str, name: str) -> Entry:
        entry = self._shelf.entry(self.server(who, server), name)
        if entry is None:
            text = f"{server} has never listed this tool"
            raise ProblemError(404, "not_found", text, f"see `torhaus tools {server}`")
        return entry

    async def decide(self, who: Caller, act: AcceptTool | RejectTool) -> ToolOut:
        self.server(who, act.server)
        await self._shelf.saved()
        await self._backstage.act(who, act)
        return ToolOut.of(self.entry(who, act.server, act.name))


def router(backstage: Backstage, shelf: Shelf) -> APIRouter:
    routes = APIRouter(prefix="/servers/{server}/tools", tags=["tools"])
    room = Room(backstage, shelf)

    @routes.get("")
    async def list_tools(server: ServerName, who: Who) -> list[ToolOut]:
        """Every tool the server lists or ever listed, by name."""
        return room.entries(who, server)

    @routes.get("/{name:path}/diff")
    async def diff_tool(server: ServerName, name: ToolName, who: Who) -> DiffOut:
        """What the server offers, against what is accepted."""
        return DiffOut.of(server, room.entry(who, server, name))

    @routes.post("/{name:path}/accept")
    async def accept(server: ServerName, name: ToolName, looked: Looked, who: Who) -> ToolOut:
        """Let this definition be what the tool is from now on."""
        return await room.decide(who, AcceptTool(server, name, looked.digest))

    @routes.post("/{name:path}/reject")
    async def reject(server: ServerName, name: ToolName, looked: Looked, who: Who) -> ToolOut:
        """Let nobody call the tool while its server says this of it."""
        return await room.decide(who, RejectTool(server, name, looked.digest))

    return routes


def _digest(found: Definition | None) -> str | None:
    return None if found is None else found.digest


def _time(at: float | None) -> str | None:
    return None if at is None else timestamp(at)
