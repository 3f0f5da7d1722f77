"""One legacy session with a server, kept for its callers across deaths of the process behind it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import structlog

from torhaus.mcp.hearing import LEVELS, reaches
from torhaus.mcp.message import encode, notification_text
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream import envelope, opening
from torhaus.upstream.again import again
from torhaus.upstream.backoff import Backoff
from torhaus.upstream.channel import Channel, Flight, Terms
from torhaus.upstream.chores import Chores
from torhaus.upstream.faults import FaultError
from torhaus.upstream.flow import Brake, Tap
from torhaus.upstream.listeners import (
    Listener,
    Listeners,
    Subscription,
    honoured,
    may_change,
    resources,
)
from torhaus.upstream.memory import MAX_URIS, Memory
from torhaus.upstream.pipe import Opener
from torhaus.upstream.questions import Asked
from torhaus.upstream.routes import Routes
from torhaus.upstream.subscribing import UNSUBSCRIBE, Deaf, Subscribing, ours, wish

log = structlog.get_logger()

RESTORE = 10.0
"""Seconds a server gets for each wish it is told again."""


@dataclass(slots=True, kw_only=True)
class Setting:
    """What all conversations with one server have in common. Times in seconds."""

    server: str
    opener: Opener
    ids: Iterator[int]
    backoff: Backoff
    chores: Chores = field(default_factory=Chores)
    start_timeout: float = 60.0
    idle: float = 600.0


class Conversation:
    """Opened by the first request, closed when idle, opened again by the next one.

    `payer`: whose failures count against whom. `shared`: several people use it.
    """

    def __init__(self, setting: Setting, terms: Terms, *, payer: str, shared: bool) -> None:
        self._setting = setting
        self._terms = terms
        self._payer = payer
        self._shared = shared
        self._channel: Channel | None = None
        self._opening: asyncio.Task[Channel] | None = None
        self._brake = Brake()
        self._memory = Memory()
        self._listeners = Listeners()
        capabilities = frozenset(envelope.fields(terms.capabilities))
        self._routes = Routes(capabilities, self._listeners, self._memory, shared=shared)
        self._subscribing = Subscribing(self._tell_wish)
        self._calls = 0
        self._timer: asyncio.TimerHandle | None = None
        self._level: str | None = None
        self._closed = False
        self.known: envelope.Opened | None = None
        self.last_used = asyncio.get_running_loop().time()

    @property
    def starting(self) -> bool:
        return self._opening is not None

    @property
    def open(self) -> bool:
        return self._channel is not None

    @property
    def asleep(self) -> bool:
        """Without a process, and none on its way."""
        return not self.open and not self.starting

    @property
    def busy(self) -> bool:
        """Whether somebody would miss it: a call, a subscription with a stream for it."""
        waiting = bool(self._listeners) and bool(self._memory.uris())
        return self._calls > 0 or self._listeners.subscribed() or waiting

    @property
    def forgettable(self) -> bool:
        """Whether a new one would be just as good."""
        return self.asleep and not (self._calls or self._listeners or self._memory)

    async def opened(self) -> envelope.Opened:
        """What the server said about itself. Raises UpstreamError."""
        opened = (await self._ready()).opened
        if opened is None:
            raise UpstreamError("it did not open a session")
        return opened

    async def request(self, ask: Ask, sink: Sink, level: str | None = None) -> Answer:
        """Ask and wait. `level`: the log level a modern caller wants. Raises UpstreamError."""
        tap = Tap(sink, self._brake)
        self._calls += 1
        try:
            if level is not None:
                await self._lower(level)
            if ask.session is not None and ask.method in _WISHES:
                return await _WISHES[ask.method](self, ask, ask.session, tap)
            answer = await self._call(ask, tap, level)
            if ask.changes and self.known is not None:
                self._listeners.called(self.known.capabilities)
            return answer
        finally:
            tap.release()
            self._used()

    async def _call(self, ask: Ask, tap: Tap | None, level: str | None = None) -> Answer:
        try:
            return await self._attempt(ask, tap, level)
        except UpstreamError as error:
            if not again(error):
                raise
            # The old process or connection is gone and this was never processed: ask the next one.
            return await self._attempt(ask, tap, level)

    async def _attempt(self, ask: Ask, tap: Tap | None, level: str | None) -> Answer:
        channel = await self._ready()
        front = envelope.canonical(ask.id)
        flight = Flight(tap=tap, session=ask.session, front=front, level=level, seconds=ask.timeout)
        flight.listens = self._terms.stateless and ask.method == "subscriptions/listen"
        return await channel.call(flight, ask.method, ask.params)

    async def ping(self, seconds: float) -> None:
        """Ask whether it lives. Raises UpstreamError.

        While calls are under way it is not asked: they may keep it from answering.
        """
        channel = self._channel
        if channel is not None and not self._calls:
            await channel.call(Flight(seconds=seconds), *opening.look(self._terms))

    def _used(self) -> None:
        self._calls -= 1
        self.last_used = asyncio.get_running_loop().time()

    async def post(self, session: Session, body: bytes) -> None:
        """Pass on a notification, or an answer to a question, of this session."""
        try:
            message = envelope.read(body)
        except envelope.GarbageError as error:
            raise UpstreamError("a message for the server is not JSON-RPC") from error
        channel = self._channel
        if channel is None:
            return
        params = bytes(message.params)
        if message.method is None:
            if message.id is not None:
                await channel.answer(session, encode(message.id), body)
        elif message.method == "notifications/cancelled":
            self._cancelled(channel, session, params)
        elif message.method != "notifications/initialized" and not self._shared:
            await channel.send(notification_text(message.method, params))

    def _cancelled(self, channel: Channel, session: Session, params: bytes) -> None:
        loose = envelope.fields(params)
        front = envelope.canonical(loose.get("requestId"))
        reason = envelope.text_of(loose, "reason")
        for flight in channel.calls():
            same = flight.session is not None and flight.session.jti == session.jti
            if same and front is not None and flight.front == front and not flight.withdrawn:
                flight.withdraw()
                channel.cancel(flight, b"" if reason is None else encode(reason))

    async def listen(self, session: Session, sink: Sink) -> None:
        """Deliver what belongs to no call, also across restarts of the server."""
        listener = Listener(session, Tap(sink, self._brake))
        self._listeners.add(listener)
        sink.opened()
        if self._channel is not None:
            self._channel.offer()
        await self._listeners.stay(listener)

    async def subscribe(self, ask: Ask, sink: Sink) -> Answer:
        """A modern `subscriptions/listen`: changes of lists and resources."""
        self._calls += 1
        try:
            capabilities = (await self.opened()).capabilities
            wanted = honoured(ask.params, may_change(capabilities))
            told = await self._subscribing.join(resources(ask.params, capabilities))
        finally:
            self._used()
        subscription = Subscription(ask.id, wanted, Tap(sink, self._brake), told)
        try:
            await self._listeners.follow(subscription)
        finally:
            self._subscribing.leave(told)
        return Answer(result=subscription.result())

    async def _tell_wish(self, method: str, uri: str) -> bool:
        session = ours()
        if method == UNSUBSCRIBE and not self.open:
            self._memory.forget(session.jti)  # nobody is there who would have to be told
            return True
        answer = await self.request(wish(method, uri, session, b'"subscriptions"'), Deaf())
        known = self._memory.known(session.jti)
        if known is not None and not known.uris:
            self._memory.forget(session.jti)
        return answer.result is not None

    def forget(self, session: Session) -> None:
        """This session is over."""
        self._memory.forget(session.jti)
        self._listeners.end(session.jti)

    async def close(self) -> None:
        """End it for ever, with everybody's calls and streams."""
        self._closed = True
        self._listeners.end_all()
        await self._subscribing.end()
        if self._timer is not None:
            self._timer.cancel()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        channel, self._channel = self._channel, None
        self._brake.attach(None)
        if channel is not None:
            await channel.close()

    # Opening and closing the channel

    async def _ready(self) -> Channel:
        if self._channel is not None:
            return self._channel
        if self._closed:
            raise UpstreamError("its connection is being closed")
        if self._opening is None:
            refusal = self._setting.backoff.refusal(self._payer)
            if refusal is not None:
                raise UpstreamError(refusal)
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(self._opening_done)
        # A caller that gives up must not stop the start for the others.
        return await asyncio.shield(self._opening)

    def _opening_done(self, task: asyncio.Task[Channel]) -> None:
        self._opening = None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, opening.StatelessError):
            log.warning("upstream.start_failed", server=self._setting.server, reason=str(error))

    async def _open(self) -> Channel:
        channel = Channel(self._setting.server, self._setting.ids, self)
        try:
            await self._start(channel)
            self._brake.attach(channel.pipe)
            self._channel = channel
            self.known = channel.opened
        except opening.StatelessError:
            raise  # it works, only otherwise
        except UpstreamError as error:
            self._setting.backoff.failed(self._payer, str(error))
            # Whatever it was (NotSentError would be tried again): this attempt has failed.
            raise UpstreamError(str(error)) from error
        finally:
            if self._channel is not channel:
                await channel.close()
        self._setting.backoff.succeeded(self._payer)
        self._check_idle()
        return channel

    async def _start(self, channel: Channel) -> None:
        setting = self._setting
        try:
            async with asyncio.timeout(setting.start_timeout):
                await channel.start(setting.opener, self._terms)
                self._level = None
                await self._restore(channel)
        except TimeoutError:
            raise FaultError(f"it did not start within {setting.start_timeout:g} s") from None

    async def _restore(self, channel: Channel) -> None:
        """Tell a new session what its callers had told the old one."""
        level = self._memory.level()
        told = [("resources/subscribe", encode({"uri": uri})) for uri in self._memory.uris()]
        if level is not None:
            self._level = level
            told.append(("logging/setLevel", encode({"level": level})))
        for method, params in told:
            answer = await channel.call(Flight(seconds=RESTORE), method, params)
            if answer.error is not None:
                log.info("upstream.wish_refused", server=self._setting.server, method=method)

    def _check_idle(self) -> None:
        if self._channel is None:
            return
        now = asyncio.get_running_loop().time()
        left = self._setting.idle if self.busy else self.last_used + self._setting.idle - now
        if left <= 0:
            self.nap()
        elif not self._closed:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(left, self._check_idle)

    def nap(self) -> None:
        """Stop the process now; the next request starts another one."""
        # At once, so that no call is put on a channel that is going away.
        channel, self._channel = self._channel, None
        self._brake.attach(None)
        if channel is not None:
            self._setting.chores.start(channel.close())

    # What callers wish of the whole session

    async def _set_level(self, ask: Ask, session: Session, tap: Tap) -> Answer:
        loose = envelope.fields(ask.params)
        level = envelope.text_of(loose, "level")
        if level not in LEVELS:
            return await self._call(ask, tap)
        await self._ready()  # or else opening it would tell the new wish a first time
        wishes = self._memory.of(session.jti)
        before, wishes.level = wishes.level, level
        lowest = self._memory.level()
        params = encode({**loose, "level": lowest})
        answer = await self._call(msgspec.structs.replace(ask, params=params), tap)
        if answer.error is None:
            self._level = lowest
        else:
            wishes.level = before
        return answer

    async def _lower(self, level: str) -> None:
        """Make sure that messages of this level come at all."""
        if self._terms.stateless:
            return  # it goes with each request
        if level not in LEVELS or "logging" not in (await self.opened()).capabilities:
            return
        if self._level is None or not reaches(level, self._level):
            params = encode({"level": level})
            channel = await self._ready()
            await channel.call(Flight(seconds=RESTORE), "logging/setLevel", params)
            self._level = level

    async def _subscribe(self, ask: Ask, session: Session, tap: Tap) -> Answer:
        answer = await self._call(ask, tap)
        uri = envelope.text_of(envelope.fields(ask.params), "uri")
        wishes = self._memory.of(session.jti)
        if answer.error is None and uri is not None and len(wishes.uris) < MAX_URIS:
            wishes.uris.add(uri)
        return answer

    async def _unsubscribe(self, ask: Ask, session: Session, tap: Tap) -> Answer:
        uri = envelope.text_of(envelope.fields(ask.params), "uri") or ""
        self._memory.of(session.jti).uris.discard(uri)
        if self._memory.subscribed(uri, except_for=session.jti):
            return Answer(result=b"{}")
        return await self._call(ask, tap)

    # torhaus.upstream.channel.Owner

    def asked(self, channel: Channel, notice: Notice) -> Asked | bytes | None:
        return self._routes.asked(channel, notice)

    def noted(self, channel: Channel, notice: Notice, params: envelope.Fields) -> None:
        self._routes.noted(channel, notice, params)

    def ended(self, channel: Channel) -> None:
        if channel is self._channel:
            self.nap()


_WISHES = {
    "logging/setLevel": Conversation._set_level,  # noqa: SLF001 -- a table of its own methods
    "resources/subscribe": Conversation._subscribe,  # noqa: SLF001
    "resources/unsubscribe": Conversation._unsubscribe,  # noqa: SLF001
}
