"""One server, with a link of its own for each account that acts there."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import msgspec

from torhaus.mcp.message import read_incoming
from torhaus.model.names import normal
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, NoStream, NotConnected, Notice, Sink, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, HttpAddress, Prover, Server
from torhaus.model.session import Session
from torhaus.upstream.autolink import AutoLink, Old
from torhaus.upstream.checks import ALL, OURS
from torhaus.upstream.chores import Chores
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.greeting import NOBODY, greeting

T = TypeVar("T")

IDLE = 900.0
"""Seconds without a call after which the link of an account is closed."""
SWEEP = 60.0
TRIES = 3
"""Credentials that one call may be tried with; what was refused has not begun."""
EVERYBODY = ""
"""The account of all; people's accounts are called by their own names."""
_RESPONSE = b'{"jsonrpc":"2.0","id":'
_MOST = 256
"""Questions of a server, in one session, whose account is remembered."""


class Shown(msgspec.Struct, frozen=True):
    """What a server is shown for an account. `secrets`: what it must not repeat.

    `of`: whose it is there, as far as that is known: another one opens sessions of its own.
    `prover`: of a token that is bound to a key.
    """

    headers: tuple[tuple[str, Secret], ...]
    secrets: tuple[Secret, ...]
    of: str = ""
    prover: Prover | None = None


class Way(Protocol):
    """Where credentials come from. All but `at_hand` need a task, and raise UpstreamError."""

    def at_hand(self, account: str) -> Shown | None:
        """What to show now, if that needs no asking."""
        ...

    async def present(self, account: str) -> Shown:
        """Raises NotConnected when there is nothing to show."""
        ...

    async def refused(self, account: str, shown: Shown, denied: DeniedError) -> Shown | None:
        """The server did not take it: what else to show, None when there is nothing else.

        Raises NotConnected when somebody has to connect anew.
        """
        ...

    async def answered(self, account: str, shown: Shown) -> None:
        """It was taken, after another one was refused."""
        ...


@dataclass(slots=True, eq=False)
class _Own:
    """An account's link. `calls`: under way on it."""

    link: AutoLink
    shown: Shown
    used: float
    calls: int = 0


class AccountsLink:
    """Owned by one event loop. People never share a link, nor what it remembers."""

    def __init__(
        self,
        server: Server,
        address: HttpAddress,
        ids: Callable[[], str],
        old: Old,
        way: Way,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._address = address
        self._ids = ids
        self._old = old
        self._way = way
        self._clock = clock
        self._owns: dict[str, _Own] = {}
        self._sides = _Sides()
        self._chores = Chores()
        self._sweeping: asyncio.TimerHandle | None = None

    # -- whose account -------------------------------------------------------------------------

    def _account(self, ask: Ask) -> str:
        oauth = self._address.oauth
        if oauth is None:
            return EVERYBODY
        return self._of(ask.principal, oauth.acting(_tool(ask) if oauth.tools else ""))

    def _usual(self, principal: str) -> str:
        oauth = self._address.oauth
        return EVERYBODY if oauth is None else self._of(principal, oauth.mode)

    def _of(self, principal: str, who: Acting) -> str:
        return principal if who is Acting.USER else EVERYBODY

    # -- calls ---------------------------------------------------------------------------------

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        try:
            return await self._request(ask, sink)
        except NotConnected:
            # Whoever may not even say hello never hears what to do.
            welcome = greeting(ask, self._server.name)
            if welcome is None:
                raise
            return welcome

    async def _request(self, ask: Ask, sink: Sink) -> Answer:
        account = self._account(ask)
        session = None if ask.session is None else _begun(ask.session)
        if session is not None and account != self._usual(ask.principal):
            sink = _Noting(sink, session.jti, account, self._sides)
            ask = msgspec.structs.replace(ask, session=self._sides.of(session, account))
        shown = await self._presented(account)
        tried = [shown]
        while True:
            try:
                answer = await self._carried(account, shown, ask, sink)
            except DeniedError as denied:
                other = await _task(self._way.refused(account, shown, denied))
                if other is None or other in tried or len(tried) == TRIES:
                    raise
                tried.append(shown := other)
            else:
                if len(tried) > 1:
                    await _task(self._way.answered(account, shown))
                return answer

    async def _presented(self, account: str) -> Shown:
        shown = self._way.at_hand(account)
        return await _task(self._way.present(account)) if shown is None else shown

    async def _carried(self, account: str, shown: Shown, ask: Ask, sink: Sink) -> Answer:
        own = self._open(account, shown)
        if ask.session is not None:
            self._sides.belongs(ask.session, shown.of)
        own.calls += 1
        try:
            return await own.link.request(ask, sink)
        finally:
            own.calls -= 1
            own.used = self._clock()

    def _open(self, account: str, shown: Shown) -> _Own:
        own = self._owns.get(account)
        if own is not None and own.shown == shown:
            return own
        if own is not None and own.shown.of != shown.of:
            self._chores.start(own.link.shutdown())
            own = None
        address = msgspec.structs.replace(
            self._address,
            headers=(*self._address.headers, *shown.headers),
            stored=False,
            oauth=None,
            prover=shown.prover,
        )
        former = () if own is None else own.shown.secrets
        secrets = dict.fromkeys((*self._server.secrets, *shown.secrets, *former))
        server = msgspec.structs.replace(self._server, address=address, secrets=tuple(secrets))
        if own is None:
            link = AutoLink(server, address, self._ids, self._old)
            own = self._owns[account] = _Own(link, shown, self._clock())
            self._plan()
        else:
            own.link.show(server, address)
            own.shown = shown
        return own

    # -- sessions ------------------------------------------------------------------------------

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        if session is None:
            return
        account, session = self._usual(principal), _begun(session)
        asked = self._sides.asker(session, body)
        if asked is not None:
            await self._posted(asked, self._sides.of(session, asked), principal, body)
            return
        try:
            await self._posted(account, session, principal, body)
        except NotConnected:
            return  # nobody there to tell
        if not body.startswith(_RESPONSE):
            for other, side in self._sides.every(session):
                await self._posted(other, side, principal, body)

    async def _posted(self, account: str, session: Session, principal: str, body: bytes) -> None:
        own = self._open(account, await self._presented(account))
        await own.link.post(session, principal, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        account = self._usual(session.principal)
        try:
            own = self._open(account, await self._presented(account))
        except NotConnected as error:
            raise NoStream(str(error)) from error
        own.calls += 1
        try:
            await own.link.listen(_begun(session), last_event_id, sink)
        finally:
            own.calls -= 1

    async def close(self, session: Session) -> None:
        for account, side in self._sides.end(session):
            if account in self._owns:
                await self._owns[account].link.close(side)
        own = self._owns.get(self._usual(session.principal))
        session = _begun(session)
        if own is not None:
            await own.link.close(session)

    # -- health --------------------------------------------------------------------------------

    async def check(self, seconds: float) -> Mapping[str, UpstreamError | None]:
        """Where callers have accounts of their own, there is none to ask with."""
        account = self._usual(OURS)
        if account != EVERYBODY:
            return {}
        try:
            own = self._open(account, await self._presented(account))
        except NotConnected:
            return {}
        found = await own.link.check(seconds)
        return {ALL: found.get(ALL)} if found else {}

    def state(self) -> str:
        states = [own.link.state() for own in list(self._owns.values())]
        if "ready" in states:
            return "ready"
        return states[0] if len(states) == 1 else "idle"

    # -- the end -------------------------------------------------------------------------------

    def _plan(self) -> None:
        if self._sweeping is None:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(SWEEP, self._swept)

    def _swept(self) -> None:
        self._sweeping = None
        self.sweep()
        if self._owns:
            self._plan()

    def sweep(self) -> None:
        """Close links that nobody has used for a while."""
        before = self._clock() - IDLE
        for account, own in list(self._owns.items()):
            if own.calls == 0 and own.used < before:
                del self._owns[account]
                self._chores.start(own.link.shutdown())

    async def shutdown(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        owns, self._owns = list(self._owns.values()), {}
        await asyncio.gather(*(own.link.shutdown() for own in owns))
        await self._chores.finish(2.0)


async def _task(work: Coroutine[Any, Any, T]) -> T:
    """In a task of its own: calls come from drives, which are none (see `edge/drive.py`)."""
    return await asyncio.ensure_future(work)


class _Sides:
    """Sessions beside a caller's own: at the same server, of another account."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Session]] = {}
        self._asked: dict[str, dict[bytes, str]] = {}
        self._whose: dict[str, str] = {}

    def belongs(self, session: Session, of: str) -> None:
        """Another account at the server must not go on in what the former one has opened."""
        former = self._whose.get(session.jti)
        if former is not None and former != of:
            session.upstream_id, session.unopened = None, True
        if former != of:
            self._whose[session.jti] = of

    def of(self, session: Session, account: str) -> Session:
        sides = self._of.setdefault(session.jti, {})
        if account not in sides:
            sides[account] = replace(
                session,
                jti=f"{session.jti}/{account or 'shared'}",
                upstream_id=None,
                unopened=True,
                running={},
            )
        return sides[account]

    def every(self, session: Session) -> list[tuple[str, Session]]:
        return list(self._of.get(session.jti, {}).items())

    def end(self, session: Session) -> list[tuple[str, Session]]:
        self._asked.pop(session.jti, None)
        self._whose.pop(session.jti, None)
        for side in self._of.get(session.jti, {}).values():
            self._whose.pop(side.jti, None)
        return list(self._of.pop(session.jti, {}).items())

    def note(self, jti: str, id: bytes, account: str) -> None:
        asked = self._asked.setdefault(jti, {})
        asked[id] = account
        if len(asked) > _MOST:
            del asked[next(iter(asked))]

    def asker(self, session: Session, body: bytes) -> str | None:
        """Whose question this answers, if it was asked in a session beside the caller's own."""
        asked = self._asked.get(session.jti)
        if not asked or not body.startswith(_RESPONSE):
            return None
        id = read_incoming(body).id
        return None if id is None else asked.pop(bytes(id), None)


class _Noting:
    """A sink that remembers which account a server's question came for."""

    def __init__(self, sink: Sink, jti: str, account: str, sides: _Sides) -> None:
        self._sink = sink
        self._jti = jti
        self._account = account
        self._sides = sides

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._sink.throttle

    @throttle.setter
    def throttle(self, value: Callable[[bool], None] | None) -> None:
        self._sink.throttle = value

    def opened(self) -> None:
        self._sink.opened()

    def notice(self, notice: Notice) -> None:
        if notice.id is not None and notice.method is not None:
            self._sides.note(self._jti, notice.id, self._account)
        self._sink.notice(notice)


def _begun(session: Session) -> Session:
    """One that was greeted by us: the first request opens its half at the server."""
    if session.upstream_id == NOBODY:
        session.upstream_id, session.unopened = None, True
    return session


def _tool(ask: Ask) -> str:
    """The normal name of the tool that is called; empty for anything else."""
    if ask.method != "tools/call":
        return ""
    return normal(ask.name) if ask.name is not None else ""
