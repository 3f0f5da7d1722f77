"""Everything in a session that is not a request: notifications, answers, listening, the end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from torhaus.gate import calls, questions
from torhaus.gate.gate import Gate
from torhaus.gate.hinted import outdated
from torhaus.gate.masking import VeiledSink
from torhaus.gate.news import News
from torhaus.gate.relay import Event, Front, Relay, Seals
from torhaus.gate.replays import About, about_call, lost, withheld
from torhaus.gate.tasknews import TaskNews
from torhaus.gate.waits import OURS
from torhaus.mcp import codes
from torhaus.mcp.inputs import ASKS
from torhaus.mcp.message import (
    CallerError,
    Notification,
    Response,
    encode,
    error_text,
    notification_text,
    read_incoming,
    result_text,
)
from torhaus.mcp.methods import UPDATED
from torhaus.mcp.seal import SealError
from torhaus.model.caching import Selector
from torhaus.model.outcome import Abandoned, Answer, Answered, Failed, Outcome
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, Link, Notice, UpstreamError
from torhaus.model.servers import Server
from torhaus.model.session import Session
from torhaus.model.verdict import Allow
from torhaus.policy.scopes import scoped
from torhaus.policy.visible import listed

log = structlog.get_logger()

INITIALIZED = "notifications/initialized"
CANCELLED = "notifications/cancelled"
NO_ANSWER = Answer(result=b"{}")
LIST_CHANGED = "notifications/tools/list_changed"


@dataclass(slots=True, kw_only=True)
class Talk:
    """Owned by one event loop, like the gate it belongs to.

    `heard`: called with a server's name and its notification that something of it has changed.
    """

    gate: Gate
    heard: list[Callable[[str, str], None]] = field(default_factory=list)
    news: News = field(init=False)
    task_news: TaskNews = field(init=False)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.news = News(rules=self.gate.patience.rules, clock=self.gate.clock)
        self.task_news = TaskNews(
            tasks=self.gate.tasks, masking=self.gate.masking, forget=self._forget
        )
        self.gate.catalogue.repinned.append(self.news.repinned)

    def _forget(self, untrue: tuple[Selector, ...]) -> None:
        if untrue:
            self.gate.fetching.chore(self.gate.fetching.forget(untrue))

    def seals(self, session: Session) -> Seals:
        return Seals(self.gate.sealer, session, self.gate.clock)

    def takes(self, notice: Notice, relay: Relay) -> bool:
        told = self.task_news.notice(notice, relay)
        if told is not notice:
            if told is not None:
                relay.pass_on(told)
            return True
        if notice.method == LIST_CHANGED:
            self.gate.catalogue.forget(relay.server.name)
        untrue = outdated(relay.server.name, notice) if notice.id is None else ()
        if untrue:
            for heard in self.heard:
                heard(relay.server.name, notice.method or "")
            self._forget(untrue)
        if notice.method == "ping" and notice.id is not None:
            body = result_text(notice.id, b"{}")
            link = self.gate.upstreams.link(relay.server)
            self._spawn(self._post(link, relay.session, relay.principal, body))
            return True
        if notice.id is not None and notice.method in ASKS:
            return self._refuses(notice.method, notice.id, relay)
        return notice.method == UPDATED and not self._reads(relay)

    def _refuses(self, method: str, id: bytes, relay: Relay) -> bool:
        """Whether the server is told that its question goes no further."""
        servers, session = self.gate.masking.rules().servers, relay.session
        server = servers.get(relay.server.name, relay.server)
        body = questions.refused(method, id, server, session)
        if body is not None and not id.startswith(OURS):
            link = self.gate.upstreams.link(server)
            self._spawn(self._post(link, session, relay.principal, body))
            return True
        return False

    def _reads(self, relay: Relay) -> bool:
        """Whether the caller may still read resources; a subscription outlives the right to it.

        Streams of callers whom the rules do not know any more end by themselves.
        """
        caller, server = self.gate.masking.known(relay.principal), relay.server
        if caller is None:
            return True
        if relay.scopes is not None:
            caller = scoped(caller, relay.scopes)
        access = caller.phase(self.gate.clock()).on(server.name)
        return listed(access, server, "resources/read")

    async def notify(
        self, server: Server, session: Session | None, principal: str, message: Notification
    ) -> None:
        """Pass a client's notification on. A lost one is logged, not an error to the client."""
        if session is None:
            return  # the modern era defines none, and the upstream would have to ignore it
        if message.method == INITIALIZED:
            session.initialized = True
        if message.method == CANCELLED and not self._cancelled(session, message):
            return
        body = notification_text(
            message.method, await self._said(server, principal, message.payload)
        )
        await self._post(self.gate.upstreams.link(server), session, principal, body)

    async def told(
        self,
        server: Server,
        session: Session,
        caller: Principal,
        ip: str,
        message: Notification,
        shown: str,
    ) -> None:
        """Pass on what the protocol does not know, at which a server may do anything.

        It is decided and recorded like a call, before it goes and afterwards. `shown`: what records
        call the credential he came with. Raises CallerError, LedgerError.
        """
        gate = self.gate
        began = gate.clock()
        call = calls.told(gate.ids(), caller, server, ip, session, message, shown)
        verdict = gate.verdicts.decide(call, began)
        if not isinstance(verdict, Allow):
            raise CallerError(codes.REFUSED, verdict.reason, status=200)
        body = notification_text(
            message.method, await self._said(server, caller.id, message.payload)
        )
        await gate.intents.before(call, verdict, None)
        end: Outcome = Abandoned(verdict)
        try:
            await gate.upstreams.link(server).post(session, caller.id, body)
            end = Answered(verdict, NO_ANSWER)
        except UpstreamError as error:
            log.warning("upstream.message.lost", server=server.name, reason=str(error))
            end = Failed(verdict, str(error))
        finally:
            kept = gate.noted(call, end, began)
        if kept is not None:
            await kept

    def _cancelled(self, session: Session, message: Notification) -> bool:
        """Cancel a call here. Whether the server may hear of it: others may wait for its answer.

        It never heard of one that still waits for approval.
        """
        request_id = encode(message.params.get("requestId"))
        patience = self.gate.patience
        wait = patience.waits.at(session, request_id)
        if wait is not None and not patience.waits.shared(wait):
            self._spawn(patience.withdraw(wait.approval))
        shared = wait is not None or self.gate.flights.shared(session, request_id)
        cancel = session.running.get(request_id)
        if cancel is not None:
            cancel()
        return not shared

    async def answer(
        self, server: Server, session: Session, principal: str, message: Response
    ) -> None:
        """Pass a client's answer to the server that asked, or hear it: we ask as well.

        Raises CallerError for a foreign id.
        """
        try:
            inner = self.seals(session).open_request(message.id)
        except SealError as error:
            text = "no request of this session has that id"
            raise CallerError(codes.INVALID_REQUEST, text) from error
        if inner.startswith(OURS):
            self.gate.patience.waits.heard(session, inner, message)
            return
        write = result_text if message.member == "result" else error_text
        body = write(inner, await self._said(server, principal, message.payload))
        await self._post(self.gate.upstreams.link(server), session, principal, body)

    async def _said(self, server: Server, principal: str, payload: bytes) -> bytes:
        """What a client says, without the secrets that rules keep from leaving.

        Raises CallerError when it cannot be checked.
        """
        masking = self.gate.masking
        payload = self.gate.tasks.said(server.name, principal, payload)
        veil = masking.beyond_calls(masking.known(principal), server.name)
        return payload if veil is None else await veil.posted(payload)

    async def _post(self, link: Link, session: Session | None, principal: str, body: bytes) -> None:
        try:
            await link.post(session, principal, body)
        except UpstreamError as error:
            name = "" if session is None else session.server
            log.warning("upstream.message.lost", server=name, reason=str(error))

    async def listen(
        self,
        server: Server,
        session: Session,
        caller: Principal,
        last_event: str | None,
        front: Front,
    ) -> None:
        """Carry a listening stream until the upstream ends it or the caller goes.

        Raises CallerError for an event id that is not this session's, NoStream, UpstreamError.
        """
        event = None if last_event is None else self._resumed(session, last_event)
        listener = _Listener(self, server, session, caller, front)
        if event is not None and event.request is not None:
            why = listener.resumes(event.request)
            if why is not None:
                await listener.refused(event.request, why)
                return
        inner = None if event is None else event.id
        session.streams += 1
        try:
            await self.gate.upstreams.link(server).listen(session, inner, listener.sink)
            await listener.drained()
        finally:
            session.streams -= 1

    def _resumed(self, session: Session, last_event: str) -> Event:
        """Raises CallerError."""
        try:
            return self.seals(session).open_event(last_event)
        except SealError as error:
            text = "Last-Event-ID is not of this session, or too old: open a stream without it"
            raise CallerError(codes.INVALID_REQUEST, text) from error

    async def end(self, server: Server, session: Session) -> None:
        """The client ends its session: its id never works again."""
        self.gate.sessions.end(session)
        self.gate.abandon(session)
        for cancel in list(session.running.values()):
            cancel()
        await self.gate.upstreams.link(server).close(session)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("session.task.failed", exc_info=task.exception())


class _Listener:
    """A listening stream. An answer on it ends a parked call, whose record comes first."""

    def __init__(
        self, talk: Talk, server: Server, session: Session, caller: Principal, front: Front
    ) -> None:
        self._talk = talk
        self._caller = caller
        self._session = session
        self._held: list[Notice] | None = None
        self._recording: asyncio.Task[None] | None = None
        self.relay = Relay(front, self, server, session.principal, session)
        self.relay.scopes = caller.scopes
        # Looked up for each notice: rights can change while the stream is open.
        masking = talk.gate.masking
        self.sink = VeiledSink(self.relay, lambda: masking.beyond_calls(caller, server.name))

    def seals(self, session: Session) -> Seals:
        return self._talk.seals(session)

    # -- a stream that is resumed --------------------------------------------------------------

    def resumes(self, request: About) -> str | None:
        """It goes on with what was said of this request. Returns why he may not hear it now."""
        self.relay.about = request
        return self._lost(request)

    def _lost(self, request: About) -> str | None:
        """What the rules say of caller and server now: streams outlive versions of them."""
        gate, name = self._talk.gate, self.relay.server.name
        caller = gate.masking.known(self._caller.id) or self._caller
        if self._caller.scopes is not None:
            caller = scoped(caller, self._caller.scopes)
        server = gate.masking.rules().servers.get(name, self.relay.server)
        known = gate.catalogue.find(server, request.name, gate.clock())
        return lost(caller, server, request, {} if known is None else known.hints, gate.clock())

    async def refused(self, request: About, why: str) -> None:
        """The reason in the place of the answer; the record of a call that waits for it first."""
        with suppress(LedgerError):  # without a record not even that leaves
            _, kept = self._talk.gate.unpark(self._session, request.id, None)
            if kept is not None:
                await kept
            self.relay.opened()
            body = _text(request.id, withheld(request, why))
            self.relay.pass_on(Notice(body=body, id=request.id))

    # -- what comes on it ----------------------------------------------------------------------

    def takes(self, notice: Notice, relay: Relay) -> bool:
        if self._held is not None:
            self._held.append(notice)
            return True
        if notice.body and notice.method is None and notice.id is not None:
            return self._answered(notice, self._meant(notice.id))
        if relay.about is not None and self._lost(relay.about) is not None:
            return True  # he is told so in the place of the answer
        return self._talk.takes(notice, relay)

    def _meant(self, id_text: bytes) -> bytes:
        """An error without an id stands for the answer to the request whose stream it is on."""
        about = self.relay.about
        return about.id if about is not None and id_text == b"null" else id_text

    def _answered(self, notice: Notice, request_id: bytes) -> bool:
        parked = self._talk.gate.parked.get((self._session.jti, request_id))
        request = self.relay.about if parked is None else about_call(request_id, parked.call)
        waits = request_id in self._session.running  # on its own stream: nothing overtakes a record
        if waits or request is None or request.id != request_id:
            log.warning("upstream.answer.misplaced", server=self._session.server)
            return True
        message = read_incoming(notice.body)
        answer = Answer(
            result=None if message.result is None else bytes(message.result),
            error=None if message.error is None else bytes(message.error),
        )
        try:
            shown, kept = self._talk.gate.unpark(self._session, request_id, answer)
        except LedgerError:
            return True  # without a record the answer must not leave
        why = self._lost(request)
        if why is not None:
            shown = withheld(request, why)
        elif kept is None and shown is answer:
            # The answer to a call that has its record: replayed for a client that missed it.
            shown = self._talk.gate.answers.replayed(answer, self._caller, self.relay.server)
            if shown is answer and notice.id == request_id:
                return False
        self._held = []
        first = _with(notice, request_id, shown)
        self._recording = asyncio.ensure_future(self._record(first, kept))
        return True

    async def _record(self, first: Notice, kept: Awaitable[None] | None) -> None:
        try:
            if kept is not None:
                await kept
            self.relay.pass_on(first)
        except LedgerError:
            log.error("audit.answer.withheld", server=self._session.server)
        held, self._held = self._held or [], None
        for notice in held:
            self.relay.notice(notice)

    async def drained(self) -> None:
        while self._recording is not None and not self._recording.done():
            await self._recording  # what was held back may begin the next one


def _with(notice: Notice, request_id: bytes, answer: Answer | None) -> Notice:
    body = notice.body if answer is None else _text(request_id, answer) or notice.body
    return Notice(body=body, id=notice.id, event_id=notice.event_id, retry=notice.retry)


def _text(request_id: bytes, answer: Answer) -> bytes:
    """Empty for an answer that says nothing."""
    if answer.result is not None:
        return result_text(request_id, answer.result)
    return b"" if answer.error is None else error_text(request_id, answer.error)
