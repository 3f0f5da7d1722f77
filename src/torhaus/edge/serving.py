"""One request at a time: into the gate, and its end back to the caller."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

import msgspec

from torhaus.edge import problems
from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import Door
from torhaus.edge.visitor import Visitor
from torhaus.gate import calls, questions
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
from torhaus.gate.news import Subscribed
from torhaus.gate.relay import Relay
from torhaus.gate.replays import about
from torhaus.gate.sessions import Hello
from torhaus.gate.talk import Talk
from torhaus.mcp import codes
from torhaus.mcp.eras import PREFIX, decode
from torhaus.mcp.message import encode, result_text
from torhaus.model.outcome import Answered, Outcome
from torhaus.model.ports import Detached, LedgerError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era
from torhaus.policy.methods import without_tasks

LISTEN = "subscriptions/listen"
NO_AUDIT = "The gateway cannot write its audit log and refuses calls until it can again."


class Stays(Protocol):
    """Who has a stream open that outlives his request."""

    @property
    def visitor(self) -> Visitor: ...

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether the caller may go on listening."""
        ...


class Serving:
    """Owned by one event loop. `open_streams`: the streams that end when their caller must go."""

    def __init__(self, gate: Gate, talk: Talk, open_streams: dict[Exchange, Stays]) -> None:
        self._gate = gate
        self._talk = talk
        self._open = open_streams

    async def serve(
        self, door: Door, asking: Asking, ending: Awaitable[Outcome] | None = None
    ) -> None:
        """From the gate's door to the last byte of the answer. Raises CallerError.

        `ending`: of a call that the gate has let in already.
        """
        exchange, session = door.exchange, asking.session
        exchange.about = asking
        self._arm(door, asking)
        try:
            if ending is not None:
                outcome = await ending
            elif asking.request.method == LISTEN and session is None:
                outcome = await self._listened(door, asking)
            else:
                relay = Relay(exchange, self._talk, door.server, asking.caller.id, session)
                relay.scopes = asking.caller.scopes
                relay.request = asking.request
                outcome = await self._gate.admit(asking, relay)
        except Detached:
            exchange.detached()
        except LedgerError:
            text = problems.said(asking, codes.AUDIT_UNAVAILABLE, NO_AUDIT)
            self._finish(exchange, 200, text)
        except asyncio.CancelledError:
            self._cancelled(exchange, asking)
        else:
            self._answer(door, asking, outcome)
        finally:
            exchange.about = None
            if session is not None:
                session.running.pop(asking.request.id, None)
            elif exchange in self._open:
                del self._open[exchange]

    async def _listened(self, door: Door, asking: Asking) -> Outcome:
        """A stream on which the gateway has something to say as well."""
        front = Subscribed(door.exchange, asking.request.id)
        relay = Relay(front, self._talk, door.server, asking.caller.id, None)
        relay.scopes = asking.caller.scopes
        relay.tasks = self._gate.tasks.listened(asking)
        with self._talk.news.told(door.server, door.visitor.renewed, front.tell):
            return await self._gate.admit(asking, relay)

    def _arm(self, door: Door, asking: Asking) -> None:
        """How the call can be cancelled: by a notification, or by hanging up (M13, L7)."""
        exchange = door.exchange
        if asking.session is not None:
            asking.session.running[asking.request.id] = exchange.cancel
        elif asking.era is Era.MODERN:
            exchange.on_gone = exchange.cancel
            if asking.request.method == LISTEN:
                exchange.on_drain = exchange.cancel
                wanted = without_tasks(asking.request.params)  # the gate looks at each
                self._open[exchange] = door.used_by(calls.client(asking), LISTEN, wanted)

    def _cancelled(self, exchange: Exchange, asking: Asking) -> None:
        """A cancelled request gets no answer; a listening stream that we end says so (M17)."""
        if asking.request.method == LISTEN and exchange.streaming and not exchange.gone:
            exchange.event(over(asking.request.id))
        exchange.end()

    def _answer(self, door: Door, asking: Asking, outcome: Outcome) -> None:
        exchange = door.exchange
        if type(outcome) is Answered and not exchange.streaming:
            method, answer = asking.request.method, outcome.answer
            if answer.result is not None and answer.status == 200 and method != "initialize":
                exchange.result(asking.request.id, answer.result)  # as nearly every call ends
                return
        status, body = problems.ending(asking, outcome)
        event_id = None
        if isinstance(outcome, Answered):
            if asking.request.method == "initialize" and asking.era is Era.LEGACY:
                self._begin(door, asking, outcome, body)
                return
            if outcome.answer.event_id is not None and asking.session is not None:
                seals, request = self._talk.seals(asking.session), about(asking.request)
                event_id = seals.event(outcome.answer.event_id, request)
        self._finish(exchange, status, body, event_id)

    def _finish(
        self, exchange: Exchange, status: int, body: bytes, event_id: str | None = None
    ) -> None:
        if exchange.streaming:
            exchange.event(body, event_id)
            exchange.end()
        else:
            exchange.json(status, body)

    def _begin(self, door: Door, asking: Asking, outcome: Answered, body: bytes) -> None:
        """A session begins: its id is minted on the answer to `initialize`."""
        exchange, answer = door.exchange, outcome.answer
        if answer.result is None or exchange.gone:
            exchange.answer(200 if answer.status == 404 else answer.status, body)
            return
        version = _version(answer.result)
        if version is None:
            text = f"{door.server.name} cannot answer: its answer to `initialize` names no version"
            exchange.answer(200, problems.said(asking, codes.UPSTREAM_FAILED, text))
            return
        params = asking.request.params
        hello = Hello(
            version=version,
            capabilities=questions.able(params, door.server.asks),
            client_info=encode(params.get("clientInfo") or {}),
        )
        session = self._gate.sessions.open(
            server=door.server.name,
            principal=door.caller.id,
            hello=hello,
            upstream_id=answer.session,
            now=self._gate.clock(),
        )
        exchange.answer(200, body, (b"mcp-session-id", session.token.encode("ascii")))


def over(request_id: bytes) -> bytes:
    """The answer to a `subscriptions/listen` that we end."""
    subscription = b'{"resultType":"complete","_meta":{"%bsubscriptionId":%b}}' % (
        PREFIX.encode(),
        request_id,
    )
    return result_text(request_id, subscription)


def _version(result: bytes) -> str | None:
    """The version an upstream agreed to, if it is one that can stand in a header."""
    try:
        told = decode(result)
    except (msgspec.MsgspecError, RecursionError):
        return None
    version = told.get("protocolVersion") if isinstance(told, dict) else None
    usable = isinstance(version, str) and version.isascii() and version.isprintable()
    return version if usable else None
