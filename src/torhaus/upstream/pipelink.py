"""The way to a server that is one process or one HTTP+SSE connection, shared by its callers."""

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import structlog

from torhaus import __version__
from torhaus.mcp import eras
from torhaus.mcp.message import encode
from torhaus.mcp.methods import MAY_ASK
from torhaus.mcp.versions import LATEST_LEGACY, LEGACY, MODERN
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.servers import Era, Server, Sharing, StdioAddress
from torhaus.model.session import Session
from torhaus.upstream import crossing, linking
from torhaus.upstream.backoff import Backoff
from torhaus.upstream.channel import Terms
from torhaus.upstream.checks import ALL
from torhaus.upstream.conversation import Conversation, Setting
from torhaus.upstream.envelope import decode, fields, text_of
from torhaus.upstream.modernpipe import ModernPipe
from torhaus.upstream.onlegacy import capabilities, returns, spelled
from torhaus.upstream.opening import StatelessError
from torhaus.upstream.parking import Desk, Parking
from torhaus.upstream.pipe import Opener
from torhaus.upstream.pipeeras import Eras
from torhaus.upstream.pooled import wanted_by

log = structlog.get_logger()

DORMANT = 1024
"""Conversations without a process that are kept for what their callers wished."""
SHUTDOWN = 5.0

OURSELVES = Terms(
    LATEST_LEGACY, b"{}", encode({"name": "torhaus", "title": "Torhaus", "version": __version__})
)
"""For callers that keep no session, and for connections that several people share."""
STATELESS = Terms(MODERN, b"{}", OURSELVES.client_info)

Key = tuple[str, ...]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much there may be of it, and for how long.

    `conversations`: those with a process or connection at once. `start`: seconds until a session
    must be open. `resting`: seconds without a call after which a conversation may be closed to
    make room for another.
    """

    conversations: int = 256
    start: float = 60.0
    resting: float = 60.0


class PipeLink:
    """Implements `torhaus.model.ports.Link` over pipes, one per conversation.

    Which callers share a conversation says `server.sharing`. `on_shutdown` is called when the last
    pipe is closed.
    """

    def __init__(
        self,
        server: Server,
        opener: Opener,
        *,
        limits: Limits | None = None,
        on_shutdown: Callable[[], None] | None = None,
    ) -> None:
        address = server.address
        self._server = server
        self._limits = Limits() if limits is None else limits
        self._on_shutdown = on_shutdown
        self._setting = Setting(
            server=server.name,
            opener=opener,
            ids=itertools.count(1),
            backoff=Backoff(lambda: asyncio.get_running_loop().time()),
            start_timeout=self._limits.start,
            idle=address.idle if isinstance(address, StdioAddress) else 600.0,
        )
        self._conversations: dict[Key, Conversation] = {}
        self._parking = Parking(server)
        self._shut = False
        self._eras = Eras(address.era if isinstance(address, StdioAddress) else "legacy")
        self._modern_pipe = ModernPipe(self._stateless)

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        if not self._eras.stateless():
            try:
                answer = await self._in_sessions(ask, sink)
            except StatelessError as error:
                self._found_stateless(error)
            else:
                self._eras.known()
                return answer
        return await self._modern_pipe.request(ask, sink)

    async def _in_sessions(self, ask: Ask, sink: Sink) -> Answer:
        if ask.era is Era.MODERN:
            return await self._modern(ask, sink)
        if ask.method == "initialize":
            return await self._initialize(ask)
        if ask.session is None:
            raise UpstreamError("a request of the session era came without a session")
        return await self._of(ask.session).request(ask, sink)

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:  # noqa: ARG002 -- the port's
        # A modern caller has nothing to post: it cancels by hanging up and answers by asking again.
        if session is None:
            return
        if self._eras.stateless():
            self._modern_pipe.post(session, body)
            return
        conversation = self._conversations.get(self._key(session))
        if conversation is not None:
            await conversation.post(session, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        conversation = None if self._eras.stateless() else self._of(session)
        if conversation is not None and self._eras.unknown and self._eras.may_be_stateless:
            try:
                await conversation.opened()
            except StatelessError as error:
                self._found_stateless(error)
                conversation = None
            except UpstreamError:
                pass  # it may come up later, and then its session is told of this stream
        if conversation is None:
            await self._modern_pipe.listen(session, last_event_id, sink)
        else:
            await conversation.listen(session, sink)

    async def close(self, session: Session) -> None:
        self._modern_pipe.close(session)
        key = self._key(session)
        conversation = self._conversations.get(key)
        if conversation is None:
            return
        conversation.forget(session)
        # A process of its own ends with its session; others wait for their next caller.
        if self._server.sharing is Sharing.SESSION:
            self._drop(conversation)
            self._setting.chores.start(conversation.close())

    async def check(self, seconds: float) -> Mapping[str, UpstreamError | None]:
        if self._server.sharing is Sharing.SHARED:
            conversation = await self._common()
            return {ALL: await _lives(conversation, seconds)}
        awake = {c: key[1] for key, c in self._conversations.items() if c.open}
        answers = await asyncio.gather(*(_lives(each, seconds) for each in awake))
        found: dict[str, UpstreamError | None] = {}
        for who, error in zip(awake.values(), answers, strict=True):
            found[who] = error or found.get(who)
        return found

    async def _common(self) -> Conversation:
        """The open conversation of all. Raises UpstreamError."""
        if not self._eras.stateless():
            conversation = self._conversation(("shared",), OURSELVES, "")
            try:
                await conversation.opened()
            except StatelessError as error:
                self._found_stateless(error)
            else:
                return conversation
        conversation = self._stateless("")
        await conversation.opened()
        return conversation

    def state(self) -> str:
        known = set(self._conversations.values())
        if any(conversation.open for conversation in known):
            return "ready"
        if any(conversation.starting for conversation in known):
            return "starting"
        failed = self._setting.backoff.latest
        return "idle" if failed is None else f"down: {failed}"

    async def shutdown(self) -> None:
        self._shut = True
        await self._parking.end()
        self._modern_pipe.end()
        known = set(self._conversations.values())
        self._conversations.clear()
        for conversation in known:
            self._setting.chores.start(conversation.close())
        await self._setting.chores.finish(SHUTDOWN)
        if self._on_shutdown is not None:
            self._on_shutdown()

    # Sessions

    async def _initialize(self, ask: Ask) -> Answer:
        asked = fields(ask.params)
        version = text_of(asked, "protocolVersion")
        terms = Terms(
            version if version in LEGACY else LATEST_LEGACY,
            bytes(asked.get("capabilities", b"{}")),
            bytes(asked.get("clientInfo", OURSELVES.client_info)),
        )
        own = secrets.token_hex(16) if ask.session is None else ask.session.jti
        key = self._key_for(ask.principal, own, terms)
        opened = await self._conversation(key, terms, ask.principal).opened()
        private = self._server.sharing is Sharing.SESSION
        # From now on the session names the version that was agreed on, not the one it asked for.
        agreed = self._key_for(
            ask.principal, own, msgspec.structs.replace(terms, version=opened.version)
        )
        if key in self._conversations:
            self._conversations.setdefault(agreed, self._conversations[key])
        result = opened.result
        if self._server.sharing is Sharing.SHARED and terms.version < opened.version:
            # The connection may speak a newer version than this caller understands.
            result = encode({**fields(result), "protocolVersion": terms.version})
        return Answer(result=result, session=own if private else None)

    def _of(self, session: Session) -> Conversation:
        """The conversation of a living session; a new one if the old one is gone."""
        terms = Terms(
            session.version,
            session.capabilities or b"{}",
            session.client_info or OURSELVES.client_info,
        )
        return self._conversation(self._key(session), terms, session.principal)

    def _key(self, session: Session) -> Key:
        terms = Terms(session.version, session.capabilities or b"{}", b"")
        return self._key_for(session.principal, session.upstream_id or session.jti, terms)

    def _key_for(self, principal: str, own: str, terms: Terms) -> Key:
        match self._server.sharing:
            case Sharing.SHARED:
                return ("shared",)
            case Sharing.SESSION:
                return ("session", principal, own)
            case Sharing.PRINCIPAL:
                return ("principal", principal, _digest(terms.capabilities), terms.version)

    def _conversation(self, key: Key, terms: Terms, principal: str) -> Conversation:
        known = self._conversations.get(key)
        if known is None or known.asleep:
            self._make_room()
            known = self._conversations.get(key)
        if known is None:
            shared = self._server.sharing is Sharing.SHARED
            ours = terms if terms.stateless else OURSELVES
            known = self._conversations[key] = Conversation(
                self._setting,
                ours if shared else terms,
                payer="" if shared else principal,
                shared=shared,
            )
        return known

    def _make_room(self) -> None:
        """Forget what nobody needs. Raises UpstreamError when there is too much that is needed."""
        if self._shut:
            raise UpstreamError("the gateway is shutting down")
        for known in set(self._conversations.values()):
            if known.forgettable:
                self._drop(known)
        known_all = set(self._conversations.values())
        asleep = [each for each in known_all if each.asleep]
        if len(asleep) > DORMANT:
            self._drop(min(asleep, key=lambda each: each.last_used))
        awake = [each for each in known_all if not each.asleep]
        if len(awake) < self._limits.conversations:
            return
        oldest = min(awake, key=lambda each: (each.busy or each.starting, each.last_used))
        tired = asyncio.get_running_loop().time() - oldest.last_used > self._limits.resting
        if oldest.busy or oldest.starting or not tired:
            raise UpstreamError(
                f"it already has {self._limits.conversations} sessions, as many as it may have;"
                " try again when others have ended"
            )
        oldest.nap()

    def _drop(self, conversation: Conversation) -> None:
        for key in [k for k, known in self._conversations.items() if known is conversation]:
            del self._conversations[key]

    # Servers without sessions

    def _stateless(self, principal: str) -> Conversation:
        """The pipe for whatever this principal asks a server that keeps no sessions."""
        shared = self._server.sharing is Sharing.SHARED
        key: Key = ("shared", "stateless") if shared else ("stateless", principal)
        return self._conversation(key, STATELESS, principal)

    def _found_stateless(self, error: StatelessError) -> None:
        if not self._eras.may_be_stateless:
            raise error
        self._eras.found_stateless()
        log.info("upstream.learned", server=self._server.name, modern=True, legacy=False)

    # Callers without a session

    async def _modern(self, ask: Ask, sink: Sink) -> Answer:
        if returns(ask):
            return await self._parking.resume(ask, sink)
        declined = linking.declined(ask)
        if declined is not None:
            return declined
        shared = self._server.sharing is Sharing.SHARED
        declared = {} if shared else capabilities(ask.params)
        terms = msgspec.structs.replace(OURSELVES, capabilities=spelled(declared))
        can_do = (terms.capabilities.decode(),) if declared else ()
        key: Key = ("shared",) if shared else ("modern", ask.principal, *can_do)
        conversation = self._conversation(key, terms, ask.principal)
        if self._eras.unknown:
            await conversation.opened()  # before anything is parked: it may be of another era
            self._eras.known()
        if ask.method == "server/discover":
            opened = await conversation.opened()
            return Answer(result=eras.discover_from_initialize(opened.result))
        if ask.method == "subscriptions/listen":
            return await conversation.subscribe(ask, sink)
        level = wanted_by(ask.params)[1]
        plain = msgspec.structs.replace(ask, params=eras.to_legacy_params(ask.params))
        finish: Callable[[Answer], Answer] = partial(_finished, ask.method, conversation, declared)
        if not declared or ask.method not in MAY_ASK:
            return finish(await conversation.request(plain, sink, level))
        session = _asked(ask.principal, self._server.name, terms)
        desk = Desk(lambda body: self._reply(conversation, session, body), declared)
        # Its time is counted in the rounds: people are slower than servers.
        patient = msgspec.structs.replace(plain, session=session, timeout=None)
        work = conversation.request(patient, desk, level)
        task = asyncio.get_running_loop().create_task(work)
        return await self._parking.begin(ask, desk, sink, task, finish)

    def _reply(self, conversation: Conversation, session: Session, body: bytes) -> None:
        self._setting.chores.start(conversation.post(session, body))


def _asked(principal: str, server: str, terms: Terms) -> Session:
    """The session of one call, by which its server's questions find it."""
    return Session(
        token="",
        jti=secrets.token_hex(16),
        server=server,
        principal=principal,
        version=terms.version,
        capabilities=terms.capabilities,
        client_info=b"",
        created=0.0,
        expires=float("inf"),
    )


def _finished(
    method: str, conversation: Conversation, declared: Mapping[str, Any], answer: Answer
) -> Answer:
    """An answer of the server for a stateless client."""
    if answer.result is not None:
        info = None if conversation.known is None else conversation.known.info
        return Answer(result=eras.to_modern_result(method, answer.result, info))
    return crossing.error_to_modern(method, answer.error or b"{}", declared)


async def _lives(conversation: Conversation, seconds: float) -> UpstreamError | None:
    try:
        await conversation.ping(seconds)
    except UpstreamError as error:
        return error
    return None


def _digest(capabilities: bytes) -> str:
    canonical = msgspec.json.encode(decode(capabilities), order="sorted")
    return hashlib.sha256(canonical).hexdigest()
