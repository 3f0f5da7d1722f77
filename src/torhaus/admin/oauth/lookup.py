"""Which client an id names: of the file, of a document, or one that registered itself."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from torhaus.identity.oauth.known import KNOWN
from torhaus.identity.oauth.metadata import MAX_DOCUMENT, MetadataError, from_document, is_document
from torhaus.model.desk import Office
from torhaus.model.fetch import Fetch, Fetched, FetchError
from torhaus.model.networks import household
from torhaus.model.oauth import AuthorizationServer, Client
from torhaus.model.ports import StateError

log = structlog.get_logger()

SHORTEST, LONGEST, FAILED = 300.0, 86400.0, 60.0
"""Seconds a document is believed, at least and at most; and that a failure is not tried again."""
MOST = 256
LOOKS, OWN, MINUTE = 60, 15, 60.0
"""Documents that are fetched in a minute, at most: in all, and for one address."""
BUSY = "many documents of clients are fetched at the moment: try again in a minute"
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})")


@dataclass(slots=True)
class _Kept:
    """`proved`: when the document was last seen."""

    until: float
    client: Client | None
    proved: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Owned by one event loop. `clock`: Unix seconds. `fetch`: goes to documents."""

    office: Office
    server: Callable[[], AuthorizationServer]
    clock: Callable[[], float]
    fetch: Callable[[], Fetch]
    _documents: dict[str, _Kept] = field(default_factory=dict)
    _unusable: dict[str, _Kept] = field(default_factory=dict)
    _looks: deque[tuple[float, str]] = field(default_factory=deque)

    async def find(self, id: str, ip: str = "") -> Client | None:
        """The file goes first, then documents; nobody can register as either. `ip`: who asks.

        Raises StateError, also where it cannot be known now: clients whose id is called unknown
        throw away what they have.
        """
        server = self.server()
        for client in server.clients:
            if client.id == id:
                return client
        if is_document(id):
            return await self._document(id, ip, server) if server.documents else None
        if not id or len(id) > 128:
            return None
        async with self.office.read() as desk:
            return await desk.clients.get(id)

    async def _document(self, id: str, ip: str, server: AuthorizationServer) -> Client | None:
        if id in KNOWN:
            return KNOWN[id]
        if not server.fetch:
            return None
        kept = self._documents.get(id) or self._unusable.get(id)
        if kept is not None and self.clock() < kept.until:
            return kept.client
        if not self._may_fetch(ip):
            if kept is None or kept.client is None:
                raise StateError(BUSY)
            return kept.client
        found = await self._fetched(id, self.fetch(), kept)
        self._keep(id, found)
        return found.client

    def _keep(self, id: str, found: _Kept) -> None:
        """Anybody can name what is no client: it takes the place of no client that is one."""
        for known in (self._documents, self._unusable):
            known.pop(id, None)
        known = self._unusable if found.client is None else self._documents
        if len(known) >= MOST:
            del known[next(iter(known))]
        known[id] = found

    def _may_fetch(self, ip: str) -> bool:
        """Anybody can make us look: nobody makes us look at much, nor keeps others from it."""
        now, who = self.clock(), household(ip)
        while self._looks and self._looks[0][0] <= now - MINUTE:
            self._looks.popleft()
        own = sum(each == who for _, each in self._looks)
        if len(self._looks) >= LOOKS or own >= OWN:
            log.warning("oauth.documents.busy", looks=len(self._looks), own=own)
            return False
        self._looks.append((now, who))
        return True

    async def _fetched(self, id: str, fetch: Fetch, before: _Kept | None) -> _Kept:
        now = self.clock()
        try:
            found = await _asked(fetch, id)
            client = from_document(id, found.body if found.status == 200 else b"")
        except FetchError as error:
            log.warning("oauth.document.unreachable", client=id[:200], reason=str(error))
            # Its host is down: whoever was let in before stays so for a day, or all sign in anew.
            if before is not None and now - before.proved < LONGEST:
                return _Kept(now + FAILED, before.client, before.proved)
            return _Kept(now + FAILED, None)
        except MetadataError as error:
            log.warning("oauth.document.refused", client=id[:200], reason=str(error))
            return _Kept(now + FAILED, None)
        return _Kept(now + _believed(found.headers), client, now)


async def _asked(fetch: Fetch, id: str) -> Fetched:
    """Raises FetchError, also where the host says that it cannot answer now."""
    found = await fetch.get(id, {"accept": "application/json"}, limit=MAX_DOCUMENT)
    if found.status == 429 or found.status >= 500:
        raise FetchError(f"it answers with HTTP {found.status}")
    return found


def _believed(headers: Mapping[str, str]) -> float:
    told = _MAX_AGE.search(headers.get("cache-control", "").lower())
    return min(LONGEST, max(SHORTEST, float(told[1]) if told else 0.0))
