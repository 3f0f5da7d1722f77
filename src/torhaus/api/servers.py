"""`/api/v1/servers`: how the servers behind the gate are doing."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given
from torhaus.audit.shape import timestamp
from torhaus.gate.shelf import Shelf
from torhaus.model.health import Health
from torhaus.model.servers import Server, StdioAddress
from torhaus.policy.approvers import may_administer

Healths = Callable[[Server], Health]


class ServerOut(Given):
    """One server, now."""

    name: str
    state: Annotated[
        str,
        Field(description="ready, idle, starting, slow, failing, down or credential refused."),
    ]
    transport: Annotated[str, Field(description="stdio, http, sse, or auto for either of these.")]
    tools: Annotated[int, Field(description="How many it lists, as far as the gateway has seen.")]
    since: Annotated[str | None, Field(description="When this state began, where that is known.")]
    error: Annotated[str | None, Field(description="What went wrong last, without secrets.")]
    error_at: str | None
    next_try: Annotated[str | None, Field(description="While it is down: when it is tried again.")]
    failures: Annotated[int, Field(description="In a row, up to now.")]
    p95: Annotated[float | None, Field(description="Seconds in which 95 of 100 calls end.")]

    @classmethod
    def of(cls, server: Server, health: Health, tools: int) -> "ServerOut":
        address = server.address
        return cls(
            name=server.name,
            state=health.state,
            transport="stdio" if isinstance(address, StdioAddress) else address.transport,
            tools=tools,
            since=_time(health.since),
            error=health.error,
            error_at=_time(health.error_at),
            next_try=_time(health.next_try),
            failures=health.failures,
            p95=None if health.p95 is None else round(health.p95, 4),
        )


def router(backstage: Backstage, shelf: Shelf, healths: Healths) -> APIRouter:
    routes = APIRouter(prefix="/servers", tags=["servers"])

    def out(server: Server) -> ServerOut:
        listed = [each for each in shelf.entries(server) if each.standing != "gone"]
        return ServerOut.of(server, healths(server), len(listed))

    @routes.get("")
    async def list_servers(who: Who) -> list[ServerOut]:
        """Every server that you administer, by name."""
        return [out(each) for each in _governed(backstage, who)]

    return routes


def _governed(backstage: Backstage, who: Caller) -> list[Server]:
    """Raises ProblemError for somebody who administers none."""
    now = backstage.clock()
    servers = sorted(backstage.rules().servers.values(), key=lambda each: each.name)
    found = [s for s in servers if may_administer(who.principal, s.name, now) is None]
    if servers and not found:
        text = "this needs somebody with admin permission on a server"
        raise ProblemError(403, "not_allowed", text)
    return found


def _time(at: float | None) -> str | None:
    return None if at is None else timestamp(at)
