"""One link per configured server, kept over reloads for as long as its address stays the same."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog

from torhaus.model.health import UNUSED, Health
from torhaus.model.ports import Link, UpstreamError
from torhaus.model.servers import HttpAddress, Server, Sharing, StdioAddress
from torhaus.upstream.accounts import AccountsLink, Way
from torhaus.upstream.autolink import AutoLink, Old
from torhaus.upstream.breakerlink import BreakerLink
from torhaus.upstream.checks import Checked
from torhaus.upstream.discreet import discreet, own
from torhaus.upstream.oldsse import oldsse_opener
from torhaus.upstream.pipelink import PipeLink
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.upstream.stdio import stdio_opener
from torhaus.upstream.tasklink import TaskLink

log = structlog.get_logger()

GRACE = 30.0
ENDPOINT = 10.0
"""Seconds an HTTP+SSE server has to name its endpoint once it is connected."""


class Links:
    """The `Upstreams` port. Owned by one event loop.

    `mask` takes secrets out of errors that are shown: they may quote what a server said. `grace`:
    seconds that calls under way on a replaced link have to finish. `way`: where the credential of a
    server comes from, where it is not in the file; None where it is.
    """

    def __init__(
        self,
        ids: Callable[[], str],
        mask: Callable[[str], str] = str,
        grace: float = GRACE,
        way: Callable[[Server], Way | None] = lambda _: None,
    ) -> None:
        self._way = way
        self._mask = mask
        self._ids = ids
        self._grace = grace
        self._links: dict[str, tuple[Server, BreakerLink]] = {}
        self._configured: dict[str, Server] | None = None
        self._retiring: dict[asyncio.Task[None], Link] = {}
        self._shut = False

    def link(self, server: Server) -> Link:
        """The link to the server of this name, as it is configured now.

        What began before a reload asks with the former server: it must not bring back a credential
        that was replaced. Raises UpstreamError when the server is no longer configured.
        """
        known = self._links.get(server.name)
        if known is not None and known[0] is server:
            return known[1]
        return self._current(server)

    def _current(self, server: Server) -> BreakerLink:
        if self._shut:
            raise UpstreamError("the gateway is shutting down")
        if self._configured is not None:
            current = self._configured.get(server.name)
            if current is None:
                raise UpstreamError("it is no longer configured")
            server = current
        known = self._links.get(server.name)
        if known is not None:
            if _reach(known[0]) == _reach(server):
                self._links[server.name] = (server, known[1])
                known[1].renew(server.health)
                return known[1]
            self._retire(known[1])
        own = server.sharing is not Sharing.SHARED and isinstance(server.address, StdioAddress)
        apart = own or server.personal
        link = BreakerLink(server.name, self._build(server), server.health, apart=apart)
        self._links[server.name] = (server, link)
        return link

    def retain(self, servers: Iterable[Server]) -> list[str]:
        """Let go of links to servers that are no longer configured, or no longer so.

        Returns their names. Those that are looked at now and then are, from now on.
        """
        self._configured = {server.name: server for server in servers}
        gone = []
        for name, (server, link) in list(self._links.items()):
            wanted = self._configured.get(name)
            if wanted is None or _reach(wanted) != _reach(server):
                del self._links[name]
                self._retire(link)
                gone.append(name)
        for server in self._configured.values():
            if server.health.interval > 0 or server.name in self._links:
                self._current(server)
        return gone

    def state(self, server: Server) -> str:
        known = self._links.get(server.name)
        return "idle" if known is None else known[1].state()

    def health(self, server: Server) -> Health:
        """How it is doing. Any thread may ask."""
        known = self._links.get(server.name)
        if known is None:
            return UNUSED
        found = known[1].health()
        error = None if found.error is None else self._mask(found.error)
        return msgspec.structs.replace(found, error=error)

    def healths(self) -> dict[str, Health]:
        """Of all that are configured, by name."""
        return {name: self.health(each) for name, each in (self._configured or {}).items()}

    def _build(self, server: Server) -> Checked:
        match server.address:
            case StdioAddress() as address:
                opener = discreet(stdio_opener(server.name, address), own(server))
                return TaskLink(PipeLink(server, opener))
            case HttpAddress() as address:
                way, old = self._way(server), Old(_old, _offered)
                if way is None:
                    return AutoLink(server, address, self._ids, old)
                return AccountsLink(server, address, self._ids, old, way)

    def _retire(self, link: BreakerLink) -> None:
        link.retire()
        task = asyncio.get_running_loop().create_task(self._later(link))
        self._retiring[task] = link
        task.add_done_callback(self._retired)

    async def _later(self, link: Link) -> None:
        await asyncio.sleep(self._grace)
        await link.shutdown()

    def _retired(self, task: asyncio.Task[None]) -> None:
        self._retiring.pop(task, None)
        if not task.cancelled() and (failed := task.exception()) is not None:
            log.error("upstream.shutdown.failed", exc_info=failed)

    async def shutdown(self) -> None:
        self._shut = True
        retiring = dict(self._retiring)
        for task in retiring:
            task.cancel()
        links = [link for _, link in self._links.values()] + list(retiring.values())
        self._links.clear()
        ends = [link.shutdown() for link in links]
        for failed in await asyncio.gather(*ends, *retiring, return_exceptions=True):
            if isinstance(failed, Exception):
                log.error("upstream.shutdown.failed", exc_info=failed)


def _reach(server: Server) -> tuple[object, ...]:
    """Everything about a server that its link depends on."""
    known = (server.address, server.secrets, server.sharing)
    return (*known, server.timeout, server.connect_timeout)


def _plain(server: Server, address: HttpAddress) -> PlainHttp:
    return PlainHttp(
        address.url,
        connect_timeout=server.connect_timeout,
        timeout=server.timeout,
        ca_file=address.ca_file,
        prover=address.prover,
    )


def _old(server: Server, address: HttpAddress) -> Checked:
    http = _plain(server, address)
    opener = oldsse_opener(server.name, address, http, server.connect_timeout + ENDPOINT)
    opener = discreet(opener, own(server))
    return TaskLink(PipeLink(server, opener, on_shutdown=http.close))


async def _offered(server: Server, address: HttpAddress) -> None:
    """Raises UpstreamError unless it names an endpoint on an event stream (checklist U1)."""
    http = _plain(server, address)
    try:
        opener = oldsse_opener(server.name, address, http, server.connect_timeout + ENDPOINT)
        pipe = await opener(_NobodyListens())
        await pipe.close()
    finally:
        http.close()


class _NobodyListens:
    def message(self, data: bytes) -> None:
        """Nothing was asked."""

    def oversized(self, head: bytes, tail: bytes) -> None:
        """Nothing was asked."""

    def ended(self, reason: str) -> None:
        """It is not needed any more."""
