"""The listening stream of a legacy client of many servers: all theirs in one."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import msgspec
import structlog

from torhaus.gate.aggregate.draining import Unavailable
from torhaus.gate.aggregate.fronts import Front
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.many import Many
from torhaus.gate.aggregate.saying import Saying
from torhaus.gate.hinted import CHANGES
from torhaus.gate.news import Renewed
from torhaus.gate.relay import Front as Stream
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, notification_text
from torhaus.mcp.seal import SealError
from torhaus.model.access import Access
from torhaus.model.ports import LedgerError, NoStream, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Server

log = structlog.get_logger()

TOOLS_CHANGED = "notifications/tools/list_changed"
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds between attempts to listen to a server that has ended its stream."""

LOOKS = (0.1, 0.5, 2.0, 10.0)
"""Seconds until a list is looked at again whose server says that it changed in the meantime."""

JOINS = (0.5, 5.0, 15.0, 60.0)
"""Seconds until a server is asked again that had no part in a list."""

NOTICES = {method: notice for notice, methods in CHANGES.items() for method in methods}


def ever(pauses: tuple[float, ...]) -> Iterator[float]:
    """One after the other, then the last one for as long as it takes."""
    return chain(pauses, repeat(pauses[-1]))


May = Callable[[Server], bool]
"""Whether the caller may listen to a server now."""


class Shared:
    """One stream that several servers write to. Each has a throttle of its own."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._changes: set[Callable[[bool], None]] = set()
        stream.throttle = self._slow

    def _slow(self, on: bool) -> None:  # noqa: FBT001 -- the shape of a throttle
        for change in list(self._changes):
            change(on)

    def share(self) -> "Share":
        return Share(self._stream, self._changes)


class Share:
    """One server's end of it."""

    def __init__(self, stream: Stream, changes: set[Callable[[bool], None]]) -> None:
        self._stream = stream
        self._changes = changes
        self._own: Callable[[bool], None] | None = None

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._own

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        if self._own is not None:
            self._changes.discard(self._own)
        self._own = change
        if change is not None:
            self._changes.add(change)

    def opened(self) -> None:
        """The stream is open already."""

    def tie(self) -> None:
        """No call depends on a listening stream."""

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        self._stream.event(data, event_id, retry)


@dataclass(slots=True, kw_only=True, eq=False)
class Listening:
    """Owned by one event loop. One client's open stream: `listen` carries it to its end."""

    many: Many
    guest: Guest
    front: Front
    stream: Stream
    may: May
    renewed: Renewed
    _rights: list[tuple[Server, Access]] = field(default_factory=list)
    _tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _chores: set["asyncio.Task[None]"] = field(default_factory=set)
    _again: dict[tuple[str, str], bool] = field(default_factory=dict)
    _joining: set[tuple[str, str]] = field(default_factory=set)
    _shared: Shared | None = None

    async def listen(self, resume: str | None) -> None:
        """Until the client goes; a resumed stream until its server ends it.

        Raises CallerError for an event id that is not this session's, NoStream, UpstreamError.
        """
        self.front.session.streams += 1
        try:
            if resume is not None:
                await self._resumed(resume)
                return
            self.stream.opened()
            await self._whatever_comes()
        finally:
            self.front.session.streams -= 1

    async def _resumed(self, resume: str) -> None:
        many, guest, talk = self.many, self.guest, self.many.talk
        for server in guest.servers(many.rules(), many.gate.clock()):
            session = many.fronts.peek(self.front, server)
            try:
                talk.seals(session).open_event(resume)
            except SealError:
                continue
            if not self.may(server):
                break
            session = many.fronts.member(self.front, server)
            saying = self._saying(self.stream, server)
            hearing = talk.listen(server, session, guest.caller, resume, saying)
            await self._hear(server, self._start(hearing))
            return
        text = "Last-Event-ID is not of this session, or too old: open a stream without it"
        raise CallerError(codes.INVALID_REQUEST, text)

    async def _hear(self, server: Server, task: "asyncio.Task[None]") -> None:
        """Until the one server's stream ends, or the right to it."""
        self._tasks[server.name] = task
        self.front.resumed.append(self)
        try:
            await task
        finally:
            self.front.resumed.remove(self)
            self._stop([task, *self._chores])

    async def _whatever_comes(self) -> None:
        self._shared = Shared(self.stream)
        self._rights = self._stands(self.guest)
        self.front.opens.append(self._hear_also)
        self.front.streams.append(self)
        for name in list(self.front.members):
            self._hear_also(name)
        for each in list(self.front.absent):
            self.lacks(*each)
        try:
            await asyncio.get_running_loop().create_future()  # until this is cancelled
        finally:
            self.front.opens.remove(self._hear_also)
            self.front.streams.remove(self)
            self._stop([*self._tasks.values(), *self._chores])

    def _hear_also(self, name: str) -> None:
        """Listen to one server more, if the caller may and does not yet."""
        server, shared = self.many.rules().servers.get(name), self._shared
        if shared is None or server is None or name in self._tasks or not self.may(server):
            return
        self._tasks[name] = self._start(self._keep_listening(server, shared))

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(work)

    def _stop(self, tasks: list["asyncio.Task[None]"]) -> None:
        for task in tasks:
            task.cancel()

    def _saying(self, stream: Stream, server: Server) -> Saying:
        saying = Saying(stream, self.guest, server.name, self.changed, None)
        saying.view = lambda: self.many.rules().views.get(self.guest.view.name)
        return saying

    async def _keep_listening(self, server: Server, shared: Shared) -> None:
        session = self.many.fronts.member(self.front, server)
        caller, talk = self.guest.caller, self.many.talk
        for pause in ever(PAUSES):
            share = shared.share()
            saying = self._saying(share, server)
            try:
                await talk.listen(server, session, caller, None, saying)
            except NoStream:
                return
            except (UpstreamError, LedgerError) as error:
                log.info("stream.ended", server=server.name, reason=str(error))
            finally:
                share.throttle = None
            await asyncio.sleep(pause)

    def recheck(self) -> None:
        """Stop listening to servers that the caller may not listen to, and hear those he may again.

        A resumed stream is one server's, and ends with it.
        """
        servers = self.many.rules().servers
        for name, task in list(self._tasks.items()):
            if name not in servers or not self.may(servers[name]):
                task.cancel()
                del self._tasks[name]
        for name in list(self.front.members):
            self._hear_also(name)

    # -- lists that change ---------------------------------------------------------------------

    def changed(self, server: str, notice: str) -> None:
        """A server says that its list is another one; the caller's view of it may be the same."""
        if self.guest.view.searched and notice == TOOLS_CHANGED:
            return  # he sees three tools, which stay
        if (server, notice) in self._again:
            self._again[server, notice] = True
            return
        self._again[server, notice] = False
        self._chore(self._look(server, notice))

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._start(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def lacks(self, server: str, method: str) -> None:
        """The server had no part in a list; it may have one later."""
        if (server, method) not in self._joining:
            self._joining.add((server, method))
            self._chore(self._join(server, method))

    async def _join(self, server: str, method: str) -> None:
        """Ask until it answers. One under way is waited for: a late answer is told at once."""
        many, absent = self.many, self.front.absent
        try:
            for pause in ever(JOINS):
                await asyncio.sleep(pause)
                rules = many.rules()
                named = rules.servers.get(server)
                if named is None or (server, method) not in absent:
                    return
                try:
                    await many.lists.fetch(self._today(rules), named, method, rules.aggregate)
                except (Unavailable, LedgerError):
                    continue
                if (server, method) in absent:
                    absent.discard((server, method))
                    self.say(NOTICES[method])
                return
        finally:
            self._joining.discard((server, method))

    async def _look(self, server: str, notice: str) -> None:
        """Now, and ever more rarely: each look is a call with a record, and costs the caller."""
        try:
            for pause in ever(LOOKS):
                self._again[server, notice] = False
                named = self.many.rules().servers.get(server)
                if named is not None:
                    await self._compare(named, notice)
                await asyncio.sleep(pause)
                if not self._again[server, notice]:
                    return
        finally:
            del self._again[server, notice]

    def _today(self, rules: Rules) -> Guest:
        """The caller as the rules know him now: they may have changed since he came to listen."""
        caller = self.renewed(rules) or self.guest.caller
        view = rules.views.get(self.guest.view.name, self.guest.view)
        return msgspec.structs.replace(self.guest, caller=caller, view=view)

    def _stands(self, guest: Guest) -> list[tuple[Server, Access]]:
        """What decides which things of which servers he sees."""
        rules, now = self.many.rules(), self.many.gate.clock()
        phase = guest.caller.phase(now)
        return [(server, phase.on(server.name)) for server in guest.servers(rules, now)]

    def reruled(self) -> None:
        """Say that lists are others where the caller's rights or servers are."""
        today = self._today(self.many.rules())
        rights = self._stands(today)
        # The same view, servers and rights list the same; asking every server would be a flood.
        if rights != self._rights or today.view != self.guest.view:
            self._rights, self.guest = rights, today
            for notice in CHANGES:
                self.say(notice)

    async def _compare(self, server: Server, notice: str) -> None:
        many = self.many
        self.recall(server, notice)
        for method in CHANGES[notice]:
            before = self.front.shown.get((server.name, method))
            if before is None:
                break
            try:
                rules = many.rules()
                share = await many.lists.fetch(self._today(rules), server, method, rules.aggregate)
            except (Unavailable, LedgerError):
                continue
            if share.digest != before:
                self.front.shown[server.name, method] = share.digest
                break
        else:
            return
        self.say(notice)

    def recall(self, server: Server, notice: str) -> None:
        """What was last shown is noted by whoever shows it: the session stands before him."""

    def say(self, notice: str) -> None:
        """Tell the client that a list has changed."""
        self.stream.event(notification_text(notice, b""))
