"""`/api/v1/cache`, and `DELETE /cache/...` for scripts: kept answers."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from torhaus.admin.cache import PurgeCache, Purged
from torhaus.api.backstage import MOST, Backstage
from torhaus.api.door import Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given
from torhaus.audit.shape import timestamp
from torhaus.model.ports import Cache, CacheStats, Listed
from torhaus.policy.approvers import administers

ServerName = Annotated[str, Path(max_length=64, description="The server.")]
ToolName = Annotated[str, Path(max_length=128, description="The tool.")]


class StatsOut(Given):
    """What the cache of this process holds and has done."""

    entries: int
    bytes: int
    hits: int
    misses: int
    evicted: Annotated[int, Field(description="Dropped early, for room.")]
    dropped: Annotated[int, Field(description="Dropped by invalidations and purges.")]
    refused: Annotated[int, Field(description="Not kept: forgotten while they were fetched.")]

    @classmethod
    def of(cls, stats: CacheStats) -> "StatsOut":
        return cls(
            entries=stats.entries,
            bytes=stats.bytes,
            hits=stats.hits,
            misses=stats.misses,
            evicted=stats.evicted,
            dropped=stats.dropped,
            refused=stats.refused,
        )


class KeptOut(Given):
    """One kept answer."""

    key: Annotated[str, Field(description="SERVER.TOOL, or SERVER and a method.")]
    arguments: Annotated[str, Field(description="As JSON text; empty when too long to be kept.")]
    owner: Annotated[str | None, Field(description="Whose it is; null: everybody's.")]
    bytes: int
    stored: str
    expires: str

    @classmethod
    def of(cls, kept: Listed) -> "KeptOut":
        return cls(
            key=kept.tag,
            arguments=kept.arguments.decode("utf-8", "replace"),
            owner=kept.owner,
            bytes=kept.bytes,
            stored=timestamp(kept.stored),
            expires=timestamp(kept.expires),
        )


class PurgedOut(Given):
    """What went."""

    server: str
    tool: str | None
    dropped: int


def router(backstage: Backstage, cache: Callable[[], Cache]) -> APIRouter:
    routes = APIRouter(prefix="/cache", tags=["cache"])

    @routes.get("")
    async def stats(who: Who) -> StatsOut:
        """For administrators of any server."""
        now, rules = backstage.clock(), backstage.rules()
        if not any(administers(who.principal, name, now) for name in rules.servers):
            raise ProblemError(403, "not_allowed", "this needs admin permission on a server")
        return StatsOut.of(cache().stats())

    @routes.get("/{server}")
    async def list_kept(
        server: ServerName,
        who: Who,
        tool: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> list[KeptOut]:
        """Fresh answers of one server, the newest first; for its administrators."""
        backstage.governing(who, server)
        if server not in backstage.rules().servers:
            raise ProblemError(404, "not_found", f"there is no server {server!r}")
        selector = PurgeCache(server, tool).selector
        found = await cache().listed(selector, limit, backstage.clock())
        return [KeptOut.of(each) for each in found]

    _add_purges(routes, backstage, "")
    return routes


def outside(backstage: Backstage) -> APIRouter:
    """`DELETE /cache/{server}[/{tool}]`, at the root."""
    routes = APIRouter(prefix="/cache", tags=["cache"])
    _add_purges(routes, backstage, "_outside")
    return routes


def _add_purges(routes: APIRouter, backstage: Backstage, suffix: str) -> None:
    async def purge(who: Who, server: str, tool: str | None, request: Request) -> PurgedOut:
        where: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in where:
                raise ProblemError(422, "invalid", f"{name[:80]} is here twice", "give it once")
            where[name] = value
        done: Purged = await backstage.act(who, PurgeCache(server, tool, where))
        return PurgedOut(server=done.server, tool=done.tool, dropped=done.dropped)

    @routes.delete("/{server}", operation_id=f"purge_server{suffix}")
    async def purge_server(server: ServerName, who: Who, request: Request) -> PurgedOut:
        """Forget a server's answers; with ?ARGUMENT=VALUE only those of such calls."""
        return await purge(who, server, None, request)

    @routes.delete("/{server}/{tool:path}", operation_id=f"purge_tool{suffix}")
    async def purge_tool(
        server: ServerName, tool: ToolName, who: Who, request: Request
    ) -> PurgedOut:
        """Forget a tool's answers; with ?ARGUMENT=VALUE only those of such calls."""
        return await purge(who, server, tool, request)
