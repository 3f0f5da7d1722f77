"""One link per configured server, kept over reloads for as long as its address stays the same."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from torhaus.model.ports import Link
from torhaus.model.servers import HttpAddress, Server, StdioAddress
from torhaus.upstream.autolink import AutoLink
from torhaus.upstream.oldsse import oldsse_opener
from torhaus.upstream.pipelink import PipeLink
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.upstream.stdio import stdio_opener
from torhaus.upstream.tasklink import TaskLink

log = structlog.get_logger()

GRACE = 30.0
"""Seconds that calls under way on a replaced link have to finish."""


class Links:
    """The `Upstreams` port. Owned by one event loop."""

    def __init__(self, ids: Callable[[], str]) -> None:
        self._ids = ids
        self._links: dict[str, tuple[Server, Link]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def link(self, server: Server) -> Link:
        known = self._links.get(server.name)
        if known is not None:
            if known[0] is server:
                return known[1]
            if _reach(known[0]) == _reach(server):
                self._links[server.name] = (server, known[1])
                return known[1]
            self._retire(known[1])
        link = self._build(server)
        self._links[server.name] = (server, link)
        return link

    def retain(self, servers: Iterable[Server]) -> list[str]:
        """Let go of links to servers that are no longer configured, or no longer so.

        Returns their names.
        """
        wanted = {server.name: _reach(server) for server in servers}
        gone = []
        for name, (server, link) in list(self._links.items()):
            if wanted.get(name) != _reach(server):
                del self._links[name]
                self._retire(link)
                gone.append(name)
        return gone

    def state(self, server: Server) -> str:
        known = self._links.get(server.name)
        return "idle" if known is None else known[1].state()

    def _build(self, server: Server) -> Link:
        match server.address:
            case StdioAddress() as address:
                return TaskLink(PipeLink(server, stdio_opener(server.name, address)))
            case HttpAddress() as address:
                return AutoLink(server, address, self._ids, _old)

    def _retire(self, link: Link) -> None:
        task = asyncio.get_running_loop().create_task(_later(link))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def shutdown(self) -> None:
        for task in list(self._retiring):
            task.cancel()
        ends = [link.shutdown() for _, link in self._links.values()]
        self._links.clear()
        for failed in await asyncio.gather(*ends, *self._retiring, return_exceptions=True):
            if isinstance(failed, Exception):
                log.error("upstream.shutdown.failed", exc_info=failed)


async def _later(link: Link) -> None:
    try:
        await asyncio.sleep(GRACE)
    finally:
        await link.shutdown()


def _reach(server: Server) -> tuple[object, ...]:
    """Everything about a server that its link depends on."""
    return (server.address, server.timeout, server.connect_timeout, server.sharing)


def _old(server: Server, address: HttpAddress) -> Link:
    http = PlainHttp(
        address.url,
        connect_timeout=server.connect_timeout,
        timeout=server.timeout,
        ca_file=address.ca_file,
    )
    wait = server.connect_timeout + 10.0
    opener = oldsse_opener(server.name, address, http, wait)
    return TaskLink(PipeLink(server, opener, on_shutdown=http.close))
