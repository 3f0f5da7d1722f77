"""A `subscriptions/listen` of a client of many servers: each is heard through its own gate."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from torhaus.gate.aggregate import names, rewriting
from torhaus.gate.aggregate.fronts import Front
from torhaus.gate.aggregate.listening import PAUSES, Listening, Share, Shared, ever
from torhaus.gate.aggregate.notes import note
from torhaus.gate.aggregate.rewriting import UNREADABLE
from torhaus.gate.aggregate.wishes import TASK_IDS, Wish, wished
from torhaus.gate.hinted import CHANGES
from torhaus.gate.news import ACKNOWLEDGED, SUBSCRIPTION
from torhaus.gate.questions import allowed
from torhaus.gate.relay import Relay
from torhaus.gate.tasknews import NEWS
from torhaus.mcp.eras import CHANGED, SUBSCRIPTIONS
from torhaus.mcp.message import CallerError, Request, encode, notification_text, read_incoming
from torhaus.mcp.methods import UPDATED
from torhaus.model.outcome import Refused
from torhaus.model.ports import LedgerError, UpstreamError
from torhaus.model.servers import Server
from torhaus.model.session import Session
from torhaus.model.task import Task

log = structlog.get_logger()

LISTEN = "subscriptions/listen"
Reads = Callable[[Server, str], bool]
"""Whether the caller may read a resource, which the server calls so."""


def nobody() -> Front:
    """What stands for the session of a client that has none."""
    session = Session(
        token="",
        jti="",
        server="",
        principal="",
        version="",
        capabilities=b"{}",
        client_info=b"",
        created=0.0,
        expires=0.0,
    )
    return Front(session)


class Granted(msgspec.Struct, frozen=True):
    """What one server has acknowledged, under the ids its gate knows."""

    uris: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()


NOTHING = Granted()


@dataclass(slots=True, kw_only=True, eq=False)
class Following(Listening):
    """Owned by one event loop. `follow` carries it until it is cancelled.

    News of tasks are heard without a gap or not at all: a client that listens need not poll (Task
    Status Notifications of the extension), and would wait for ever for what was said in the gap.
    So where a server's stream breaks off that granted some, the whole ends, and the client, which
    listens anew, is told what is granted now.
    """

    request: Request
    reads: Reads
    _wish: Wish = field(default_factory=Wish)
    _using: dict[str, frozenset[str]] = field(default_factory=dict)
    _granted: dict[str, "asyncio.Future[Granted]"] = field(default_factory=dict)
    _told: dict[str, frozenset[str]] = field(default_factory=dict)
    _held: list[tuple[str, Mapping[str, Any]]] | None = field(default_factory=list)
    _listed: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Raises CallerError and LedgerError before anything is said."""
        many = self.many
        self._wish = wished(self.guest, self.request)
        await note(many.gate, self.guest, LISTEN)
        self._shared = Shared(self.stream)
        self._rights = self._stands(self.guest)
        self.front.streams.append(self)
        many.following.add(self)
        try:
            self._begin()
            await self._acknowledge(many.rules().aggregate.deadline)
            await self._over.wait()
        finally:
            many.following.discard(self)
            self._stop([*self._tasks.values(), *self._chores])

    def _begin(self) -> None:
        """Listen to each server that the caller may listen to and that is not heard yet."""
        for server in self.guest.servers(self.many.rules(), self.many.gate.clock()):
            name = server.name
            if name not in self._tasks and self.may(server):
                uris = self._readable(server)
                # What was not acknowledged is not told later either: it is polled.
                tasks = {} if self._held is None else self._audible(server)
                if not (self._wish.kinds or uris or tasks):
                    continue
                self._using[name] = uris
                if uris or tasks:
                    self._future(name)
                self._tasks[name] = self._start(self._keep_following(name, uris, tasks))

    def _readable(self, server: Server) -> frozenset[str]:
        """Of what was asked for, the resources that he may read there now."""
        asked = self._wish.uris.get(server.name, frozenset())
        return frozenset(uri for uri in asked if self.reads(server, uri))

    def _audible(self, server: Server) -> dict[str, Task]:
        """Of what was asked for, the tasks whose news he may hear there now."""
        asked = self._wish.tasks.get(server.name)
        if not asked:
            return {}
        caller = self._today(self.many.rules()).caller
        return self.many.gate.tasks.heard(asked, server, caller, self.guest.ip)

    async def _keep_following(
        self, name: str, uris: frozenset[str], tasks: Mapping[str, Task]
    ) -> None:
        try:
            for pause in ever(PAUSES):
                again = await self._once(name, uris, tasks)
                if self._told.get(name):
                    self._over.set()
                if not (again and (self._wish.kinds or uris)):
                    return
                tasks = {}
                await asyncio.sleep(pause)
        finally:
            self.granted(name, NOTHING)

    async def _once(self, name: str, uris: frozenset[str], tasks: Mapping[str, Task]) -> bool:
        """One request of the server, until it ends. Whether another one may fare better."""
        rules, gate = self.many.rules(), self.many.gate
        server, guest = rules.servers.get(name), self._today(rules)
        if server is None or self._shared is None:
            return False
        wanted: dict[str, Any] = dict.fromkeys(sorted(self._wish.kinds), True)
        if uris:
            wanted[SUBSCRIPTIONS] = sorted(uris)
        if tasks:
            wanted[TASK_IDS] = [task.token for task in tasks.values()]
        own = guest.own(gate.ids(), LISTEN, {"notifications": wanted})
        ear = _Ear(self._shared.share(), self, server)
        relay = Relay(ear, self.many.talk, server, guest.caller.id, None)
        relay.scopes, relay.tasks = guest.caller.scopes, tasks
        try:
            outcome = await gate.admit(guest.asking(own, server, None), relay)
        except (UpstreamError, LedgerError, CallerError) as error:
            log.info("stream.ended", server=name, reason=str(error))
            return True
        finally:
            ear.throttle = None
            self.granted(name, NOTHING)
        return not isinstance(outcome, Refused)

    # -- what is granted -----------------------------------------------------------------------

    def granted(self, server: str, what: Granted) -> None:
        """The server has acknowledged this; later words of it grant no more."""
        future = self._future(server)
        if future.done():
            return
        future.set_result(what)
        if self._held is not None:
            tasks = what.tasks.intersection(self._wish.tasks.get(server, ()))
            self._told[server] = tasks

    def _future(self, server: str) -> "asyncio.Future[Granted]":
        future = self._granted.get(server)
        if future is None:
            future = self._granted[server] = asyncio.get_running_loop().create_future()
        return future

    async def _acknowledge(self, deadline: float) -> None:
        """First of all. Lists are the gateway's own business; the rest takes their servers."""
        asked = dict(self._granted)
        if asked:
            await asyncio.wait(asked.values(), timeout=deadline)
        found = {name: future.result() for name, future in asked.items() if future.done()}
        granted: dict[str, Any] = dict.fromkeys(sorted(self._wish.kinds), True)
        uris = [names.uri_out(name, uri) for name, what in found.items() for uri in what.uris]
        tasks = [names.task_out(name, task) for name in self._told for task in self._told[name]]
        if uris:
            granted[SUBSCRIPTIONS] = sorted(uris)
        if tasks:
            granted[TASK_IDS] = sorted(tasks)
        held, self._held = self._held or [], None
        self.tell(ACKNOWLEDGED, {"notifications": granted})
        for method, params in held:
            self.tell(method, params)

    # -- what is said --------------------------------------------------------------------------

    def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Say it under the subscription's own id; nothing overtakes the acknowledgement."""
        if self._held is not None:
            self._held.append((method, params))
            return
        own = params.get("_meta")
        meta = {
            **(own if isinstance(own, dict) else {}),
            SUBSCRIPTION: msgspec.Raw(self.request.id),
        }
        self.stream.event(notification_text(method, encode({**params, "_meta": meta})))

    def task_told(self, server: str, params: Mapping[str, Any]) -> None:
        """News of a task, if they were granted."""
        if params["taskId"] in self._told.get(server, ()):
            found = self.many.rules().servers.get(server)
            asks = () if found is None else found.asks_among
            seen = rewriting.result(server, encode(allowed(dict(params), asks)))
            self.tell(NEWS, msgspec.json.decode(seen))

    def say(self, notice: str) -> None:
        if CHANGED[notice.split("/")[1]] in self._wish.kinds:
            self.tell(notice, {})

    def changed(self, server: str, notice: str) -> None:
        if CHANGED[notice.split("/")[1]] in self._wish.kinds:
            Listening.changed(self, server, notice)

    def lacks(self, server: str, method: str) -> None:
        """A client without a session is told by `ttlMs` when to ask again."""

    def recall(self, server: Server, notice: str) -> None:
        for method in CHANGES[notice]:
            digest = self.many.lists.last(self.guest, server, method)
            place = server.name, method
            if digest is not None and self._listed.get(place) != digest:
                # He has listed since, and knows that one.
                self._listed[place] = self.front.shown[place] = digest

    # -- rights --------------------------------------------------------------------------------

    def recheck(self) -> None:
        """Stop hearing what the caller may not hear any more, and hear what he may again."""
        servers = self.many.rules().servers
        for name, task in list(self._tasks.items()):
            server = servers.get(name)
            if server is None or not self._as_before(server):
                task.cancel()
                del self._tasks[name]
                if self._told.get(name):
                    self._over.set()
        if not self._over.is_set():
            self._begin()

    def _as_before(self, server: Server) -> bool:
        """Whether he may hear from the server what he hears, and no more than that."""
        if not self.may(server) or self._readable(server) != self._using[server.name]:
            return False
        told = self._told.get(server.name)
        if not told:
            return True
        return told <= {task.token for task in self._audible(server).values()}

    def reruled(self) -> None:
        Listening.reruled(self)
        for name in [name for name, task in self._tasks.items() if task.done()]:
            del self._tasks[name]  # it was refused; it may not be any more
        self.recheck()


class _Ear:
    """One server's end of it: what it says is said anew under the names that things have here."""

    def __init__(self, share: Share, following: Following, server: Server) -> None:
        self._share = share
        self._following = following
        self._server = server

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._share.throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._share.throttle = change

    def opened(self) -> None:
        """The stream is the gateway's own."""

    def tie(self) -> None:
        """No call depends on it."""

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:  # noqa: ARG002 -- stateless streams have no ids
        try:
            message = read_incoming(data)
            params = msgspec.json.decode(message.params or b"{}")
            self._heard(message.method or "", params)
        except (*UNREADABLE, CallerError, KeyError, TypeError, AttributeError):
            return  # nothing that a client could read either

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        following, name = self._following, self._server.name
        if method == ACKNOWLEDGED:
            told = params["notifications"]
            uris, tasks = _strings(told.get(SUBSCRIPTIONS)), _strings(told.get(TASK_IDS))
            following.granted(name, Granted(uris, tasks))
        elif method in CHANGES:
            following.changed(name, method)
        elif method == NEWS:
            following.task_told(name, params)
        elif method == UPDATED and self._shown(params["uri"]):
            told = msgspec.json.decode(rewriting.updated(name, encode(params)))
            told.pop("_meta", None)
            following.tell(UPDATED, told)

    def _shown(self, uri: object) -> bool:
        pick = self._following.guest.view.pick(self._server.name)
        return isinstance(uri, str) and pick is not None and names.shown_at(pick.resources, uri)


def _strings(listed: object) -> frozenset[str]:
    found = listed if isinstance(listed, list) else []
    return frozenset(each for each in found if isinstance(each, str))
