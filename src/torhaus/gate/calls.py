"""From a message at the door to a call that can be decided, and to what travels upstream."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Protocol

import msgspec

from torhaus.gate import questions, rounds
from torhaus.gate.catalogue import Catalogue, next_cursor
from torhaus.gate.masking import Veil
from torhaus.gate.sight import Sight
from torhaus.mcp import codes
from torhaus.mcp.clients import sent_name
from torhaus.mcp.message import CallerError, Notification, Request, encode, misspelt, twins
from torhaus.mcp.methods import NAMED, WITHOUT_TIMEOUT
from torhaus.mcp.params import Mark, mismatch, repeated
from torhaus.mcp.seal import Sealer
from torhaus.mcp.trace import trace_id
from torhaus.mcp.versions import CAPABILITIES_KEY, LEGACY, MODERN, VERSION_KEY
from torhaus.model.call import Call
from torhaus.model.methods import METHODS
from torhaus.model.outcome import Limited, Outcome, Refused
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Cache, Link, Miss, Notice, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import ASKABLE, Era, Server
from torhaus.model.session import Session
from torhaus.model.task import Task

Hints = Mapping[str, Any]
NO_HINTS: Hints = {}
MAX_PAGES = 50


class Visit(Protocol):
    """The caller at the door, for calls that wait: whether he is there, and may still be."""

    @property
    def gone(self) -> bool:
        """Whether he has hung up."""
        ...

    def renewed(self, rules: Rules, now: float) -> tuple[Principal, Server] | None:
        """Caller and server as these rules know them; None when he would not be let in."""
        ...

    def refused(self, request_id: bytes) -> None:
        """What he is told of this request is settled, and nothing of a server's is in it."""
        ...


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody agreed to the call. `id`: of the approval; `version`: of the policy it is for.

    `take` uses it up, right before the call is sent; it returns why it could not be used.
    """

    id: str
    version: str
    take: Callable[[], Awaitable[Refused | None]]


class Asking(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request at the door: what the edge knows about it.

    `session` is None for a modern caller and for `initialize`. `headers`: `Mcp-Param-*` pairs.
    `agreed`: the approval that this call is about to use. `veil`: what masks it, where rules ask
    for that. `trace`: the trace that the head of the request names. `sight`: by what the request
    can be recognised, should it come again. `missed`: the key under which no answer is kept, as
    was found out a moment ago. `task`: the one it is about. `shown`: what records call the
    credential he came with. `among`: the server is one of many here.
    """

    request: Request
    caller: Principal
    server: Server
    era: Era
    ip: str
    session: Session | None = None
    headers: tuple[tuple[str, str], ...] = ()
    key: bytes | None = None
    visit: Visit | None = None
    agreed: Agreement | None = None
    veil: Veil | None = None
    trace: str = ""
    sight: Sight | None = None
    missed: tuple[bytes, Miss] | None = None
    task: Task | None = None
    shown: str = ""
    among: bool = False


def missed(asking: Asking, key: bytes, tag: str, cache: Cache) -> Miss | None:
    """What was found out before; not with an old answer that may be untrue by now."""
    if asking.missed is None or asking.missed[0] != key:
        return None
    miss = asking.missed[1]
    return miss if miss.stale is None or cache.fits(miss.stamp, tag) else None


def numbered(prefix: str) -> Callable[[], str]:
    """Ids that are unique over processes and restarts, with a random prefix, and cheap."""
    number = count(1)
    return lambda: f"{prefix}{next(number):x}"


def tool_name(request: Request) -> str:
    """Raises CallerError."""
    name = request.params.get("name")
    if not isinstance(name, str) or not name:
        raise CallerError(codes.INVALID_PARAMS, "params.name must be a string", id=request.id)
    return name


def settled(asking: Asking, outcome: Outcome) -> None:
    """Its record is waited for, and nothing else can become of it: a refusal says its own reason.

    What a server has said is kept from whoever loses his rights meanwhile.
    """
    if asking.visit is not None and isinstance(outcome, Refused | Limited):
        asking.visit.refused(asking.request.id)


def build(asking: Asking, call_id: str, hints: Hints, tool: str | None = None) -> Call:
    """`tool`: the name it has, where that was read before.

    Raises CallerError when arguments that decide rights are malformed.
    """
    request, session = asking.request, asking.session
    params = request.params
    trace = asking.trace
    if not trace and "_meta" in params:
        trace = own_trace(asking)
    wrong = misspelt(params)
    if wrong is not None:
        text = f"params holds {wrong!r}: write it in the protocol's spelling"
        raise CallerError(codes.INVALID_PARAMS, text, id=request.id)
    operation: str = request.method
    invented = operation not in METHODS and operation != "tools/call"
    arguments: Mapping[str, Any] = params
    if operation in ("tools/call", "prompts/get"):
        name = tool or tool_name(request)
        arguments, operation = _arguments(request), name if operation == "tools/call" else operation
        payload = encode(arguments)
    else:
        _refuse_twins(request, "params", params)
        payload, hints = b"" if operation == "initialize" else request.payload, NO_HINTS
    return Call(
        id=call_id,
        caller=asking.caller,
        server=asking.server,
        method=request.method,
        operation=operation,
        arguments=arguments,
        payload=payload,
        ip=asking.ip,
        retry=rounds.is_retry(request),
        hints=hints,
        client=sent_name(params) if session is None else session.client,
        protocol=_protocol(asking) if session is None else session.version,
        trace=trace,
        sent=len(payload),
        invented=invented,
        shown=asking.shown,
    )


def told(  # noqa: PLR0913 -- what a call is made of
    call_id: str,
    caller: Principal,
    server: Server,
    ip: str,
    session: Session,
    message: Notification,
    shown: str,
) -> Call:
    """A notification, as what it may be to its server: a call. Raises CallerError."""
    twin = twins(message.params)
    if twin is not None:
        text = f"params holds {twin!r} twice, in different spellings of case"
        raise CallerError(codes.INVALID_PARAMS, text)
    return Call(
        id=call_id,
        caller=caller,
        server=server,
        method=message.method,
        operation=message.method,
        arguments=message.params,
        payload=message.payload,
        ip=ip,
        client=session.client,
        protocol=session.version,
        sent=len(message.payload),
        invented=True,
        shown=shown,
    )


def _arguments(request: Request) -> Mapping[str, Any]:
    """Raises CallerError."""
    arguments: Mapping[str, Any] = request.params.get("arguments", NO_HINTS)
    if type(arguments) is not dict:
        text = "params.arguments must be an object"
        raise CallerError(codes.INVALID_PARAMS, text, id=request.id)
    if arguments:
        _refuse_twins(request, "params.arguments", arguments)
    return arguments


def client(asking: Asking) -> str:
    """The name the caller's client gives itself; a session said it when it began."""
    session = asking.session
    return sent_name(asking.request.params) if session is None else session.client


def _protocol(asking: Asking) -> str:
    """The revision a caller without a session speaks, or asks for with `initialize`."""
    if asking.request.method != "initialize":
        return MODERN
    asked = asking.request.params.get("protocolVersion")
    return asked if isinstance(asked, str) and asked in LEGACY else ""


def own_trace(asking: Asking) -> str:
    """The trace that the request's own `_meta` names."""
    meta = asking.request.params.get("_meta")
    if not isinstance(meta, dict) or "traceparent" not in meta:
        return ""
    return trace_id(meta["traceparent"])


def check_headers(asking: Asking, call: Call, catalogue: Catalogue) -> None:
    """Raises CallerError (-32020) when `Mcp-Param-*` headers and arguments disagree."""
    if call.method != "tools/call":
        return
    marked = catalogue.marks(asking.server.name, call.operation)
    wrong = mismatch(marked, call.arguments, asking.headers) if marked else None
    if wrong is not None:
        raise CallerError(codes.HEADER_MISMATCH, wrong, id=asking.request.id)


def repeating(
    asking: Asking, call: Call, ask: Ask | None, marked: tuple[Mark, ...]
) -> tuple[Asking, Ask | None]:
    """The request with the `Mcp-Param-*` headers that a stateless server wants beside it (U6).

    Clients with a session send none. `call` is as it travels, so they repeat what is sent.
    """
    headers = repeated(marked, call.arguments)
    asking = msgspec.structs.replace(asking, headers=headers)
    return asking, ask and msgspec.structs.replace(ask, headers=headers)


def _refuse_twins(request: Request, what: str, value: Mapping[str, Any]) -> None:
    twin = twins(value) if value else None
    if twin is not None:
        text = f"{what} holds {twin!r} twice, in different spellings of case"
        raise CallerError(codes.INVALID_PARAMS, text, id=request.id)


def ask(asking: Asking, sealer: Sealer, now: float) -> Ask:
    """What travels upstream. Raises CallerError when a retry's state is not ours."""
    asks = asking.server.asks_among if asking.among else asking.server.asks
    request = asking.request if asks is ASKABLE else questions.declared(asking.request, asks)
    method = request.method
    params = request.payload
    if "requestState" in request.params and asking.era is Era.MODERN:
        params = rounds.opened(request, asking.server.name, asking.caller.id, sealer, now)
    key = NAMED.get(method)
    name = None if key is None else request.params.get(key)
    return Ask(
        method=method,
        id=request.id,
        params=params,
        era=asking.era,
        principal=asking.caller.id,
        session=asking.session,
        name=name if isinstance(name, str) else None,
        headers=asking.headers,
        timeout=None if method in WITHOUT_TIMEOUT else asking.server.timeout,
    )


class Deaf:
    """A sink for requests of our own: nobody listens."""

    throttle: Callable[[bool], None] | None = None

    def opened(self) -> None:
        """Nothing to do."""

    def notice(self, notice: Notice) -> None:
        """Nothing to do."""


async def pages(link: Link, asking: Asking, ids: Callable[[], str]) -> list[bytes]:
    """The server's whole `tools/list`, asked for in the caller's own session.

    Raises UpstreamError, msgspec.MsgspecError.
    """
    found: list[bytes] = []
    cursor: str | None = None
    while len(found) < MAX_PAGES:
        params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        if asking.era is Era.MODERN:
            params["_meta"] = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
        answer = await link.request(
            Ask(
                method="tools/list",
                id=encode(ids()),
                params=encode(params),
                era=asking.era,
                principal=asking.caller.id,
                session=asking.session,
                timeout=min(asking.server.timeout, 30.0),
            ),
            Deaf(),
        )
        if answer.result is None:
            raise UpstreamError("it does not list its tools")
        found.append(answer.result)
        cursor = next_cursor(answer.result)
        if cursor is None:
            break
    return found
