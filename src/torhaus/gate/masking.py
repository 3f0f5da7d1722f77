"""Masking on the way: what a call says, what its server answers, and what it says meanwhile.

Only calls whose rules ask for it have a veil; the others pass without a look at it.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import structlog

from torhaus.audit.parameters import truncated
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.sentences import sentence
from torhaus.mcp import codes
from torhaus.mcp.message import (
    CallerError,
    encode,
    notification_text,
    read_incoming,
    request_text,
)
from torhaus.mcp.methods import LISTS, NAMED
from torhaus.mcp.params import repeated
from torhaus.model.access import Effect
from torhaus.model.call import Call
from torhaus.model.outcome import Answer, Answered, Outcome
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Meter, Notice, Sink
from torhaus.model.redaction import Pattern
from torhaus.model.rules import Rules
from torhaus.model.servers import Era
from torhaus.model.sinks import Before
from torhaus.model.verdict import Allow, Hold, Verdict
from torhaus.redact.detector import Level
from torhaus.redact.document import Redacted, redact_json
from torhaus.redact.patterns import configured
from torhaus.redact.text import Detectors, UncheckableError, detectors, redact_text

if TYPE_CHECKING:
    from torhaus.gate.calls import Asking

log = structlog.get_logger()

SAID = ("arguments", "argument", "context", "inputResponses", "uri", "_meta")
"""Parameters in which a caller says things; the others choose what is called."""

KEPT = frozenset(
    ("requestState", "nextCursor", "taskId", "progressToken", "requestId", "resultType")
)
"""Members of messages that the protocol compares and nobody reads."""

UNMASKED = frozenset((*LISTS, "initialize", "server/discover"))
"""Methods whose results say what a server is and offers, not what is in it."""

LONG = 32 * 1024
"""Bytes from which on a text is masked in a thread: a mebibyte made to be slow takes a second."""

MOST = 1024 * 1024
"""Bytes of what is masked while everybody waits, for it has its place among others."""

THREADS = 2
"""Texts that are masked at one time: the others wait for them, and nobody else does."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Levels(msgspec.Struct, frozen=True):
    """Arguments keep personal data: who a thing is assigned to is told by an address."""

    both: Detectors
    secrets: Detectors


@dataclass(slots=True, kw_only=True)
class Masking:
    """Owned by one event loop. `rules` returns the snapshot in force."""

    rules: Callable[[], Rules]
    catalogue: Catalogue
    meter: Meter
    clock: Callable[[], float]
    _patterns: tuple[Pattern, ...] | None = field(default=None, init=False)
    _levels: Levels | None = field(default=None, init=False)
    _threads: Executor = field(default_factory=partial(ThreadPoolExecutor, THREADS), init=False)

    def levels(self) -> Levels:
        """The detectors of the rules in force, built once for each set of patterns."""
        patterns = self.rules().patterns
        if self._levels is None or self._patterns is not patterns:
            more = configured(patterns)
            self._levels = Levels(detectors(Level, more), detectors([Level.SECRETS], more))
            self._patterns = patterns
        return self._levels

    async def masked(self, text: bytes, among: Detectors) -> Redacted:
        """As `redact_json`; while a long text is looked through others go on."""
        if len(text) <= LONG:
            return redact_json(text, among)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, redact_json, text, among)

    def veil(self, rule: str, server: str, request: bytes | None = None) -> "Veil":
        """`request`: JSON text of the id of the request it is for."""
        return Veil(self, rule, server, request)

    def veiled(self, asking: "Asking", rule: str) -> "Asking":
        veil = self.veil(rule, asking.server.name, asking.request.id)
        return msgspec.structs.replace(asking, veil=veil)

    def beyond_calls(self, caller: Principal | None, server: str) -> "Veil | None":
        """For what belongs to no call. A policy for some calls holds for all of that.

        What counts is what the rules say of the caller now: streams outlive versions of them.
        Without a caller, everything is masked.
        """
        caller = caller and (self.known(caller.id) or caller)
        rule = "unknown caller" if caller is None else obligation(caller, server, self.clock())
        return None if rule is None else self.veil(rule, server)

    def replayed(self, answer: Answer, caller: Principal, server: str) -> Answer:
        """An answer that nobody here remembers the call of."""
        veil = self.beyond_calls(caller, server)
        return answer if veil is None else veil.answer("", Era.LEGACY, answer)

    def resumed(self, answer: Answer, asking: "Asking") -> Answer:
        """An answer that came on another stream than its call."""
        veil = asking.veil
        return answer if veil is None else veil.answer(asking.request.method, asking.era, answer)

    def known(self, principal: str) -> Principal | None:
        """The caller of this id, if the rules still know him."""
        rules = self.rules()
        found = rules.principals.get(principal)
        if found is not None:
            return found
        nameless = (each.principal for each in rules.anonymous)
        return next((each for each in nameless if each.id == principal), None)

    def recorded(self, call: Call, verdict: Verdict, veil: "Veil | None") -> tuple[Call, int]:
        """The call as its record may show it, and how much of the call was masked.

        `veil`: the one it was carried out under; without, the record is all there is to mask.
        """
        match verdict:
            case Allow(redact=rule) | Hold(allow=Allow(redact=rule)):
                pass
            case _:
                rule = obligation(call.caller, call.server.name, self.clock())
        if rule is not None and len(call.payload) > LONG:
            call = msgspec.structs.replace(call, payload=bytes(truncated(call.payload)))
        elif rule is not None and call.payload:
            try:
                masked = redact_json(call.payload, self.levels().both)
                payload, counts = masked.text, masked.counts
            except UncheckableError as error:
                payload, counts = encode({"_withheld": str(error)}), {}
            call = msgspec.structs.replace(call, payload=payload)
            if veil is None and counts:
                self.meter.redacted(call.server.name, counts)
                return call, sum(counts.values())
        return call, 0 if veil is None else sum(veil.counts.values())

    def shown(self, text: str) -> str:
        """Arguments, as JSON text, for the eyes of whoever is asked to approve them."""
        try:
            return _at_once(text.encode(), self.levels().both).text.decode()
        except UncheckableError as error:
            return encode({"_withheld": str(error)}).decode()


def obligation(caller: Principal, server: str, now: float) -> str | None:
    """The rule that has something of this caller's masked on this server."""
    access = caller.phase(now).on(server)
    if access.redact is not None:
        return access.redact
    masking = (policy.name for policy in access.policies if policy.effect is Effect.REDACT)
    return next(masking, None)


class Veil:
    """What one call has masked. `counts`: kind -> how often, so far."""

    __slots__ = ("_levels", "_masking", "_request", "_sent", "counts", "rule", "server")

    def __init__(self, masking: Masking, rule: str, server: str, request: bytes | None) -> None:
        self._masking = masking
        self._levels = masking.levels()
        self._request = request
        self.rule = rule
        self.server = server
        self.counts: dict[str, int] = {}
        self._sent: dict[bytes, Redacted] = {}

    async def over(self, call: Call, ask: Ask, sink: Sink) -> tuple[Call, Ask, Sink]:
        """A call as it may be carried out. Raises CallerError when it cannot be checked."""
        for text in (call.payload, *_said(ask.params).values()):
            if text and text not in self._sent:  # arguments are in both
                self._sent[text] = await self._checked(text)
        over = self._call(call), self._ask(ask, call.operation), VeiledSink(sink, lambda: self)
        self._sent.clear()
        return over

    async def ended(self, method: str, era: Era, outcome: Outcome) -> Outcome:
        """How it ended, as its caller may know. Long answers let others go on meanwhile."""
        if not isinstance(outcome, Answered):
            return outcome
        answer = outcome.answer
        text = answer.error if answer.result is None else answer.result
        if text is None or len(text) <= LONG or method in UNMASKED:
            answer = self.answer(method, era, answer)
        else:
            try:
                done = await self._masking.masked(text, self._levels.both)
                answer = self._seen(answer, done)
            except UncheckableError as error:
                answer = self._withheld(method, era, error)
        return msgspec.structs.replace(outcome, answer=answer)

    # -- on the way to the server --------------------------------------------------------------

    def _call(self, call: Call) -> Call:
        if not call.payload:
            return call
        payload = self._sent[call.payload].text  # counted in the request that travels
        if payload is call.payload:
            return call
        arguments = msgspec.json.decode(payload)
        return msgspec.structs.replace(call, payload=payload, arguments=arguments)

    def _ask(self, ask: Ask, operation: str) -> Ask:
        """The request as it may travel, its headers like its body."""
        if not ask.params:
            return ask
        loose, before = _members(ask.params), _said(ask.params)
        said = {name: self._told(text, self._sent[text]) for name, text in before.items()}
        if said == before:
            return ask if not ask.headers else self._with_headers(ask, loose, operation)
        loose.update((name, msgspec.Raw(text)) for name, text in said.items())
        key = NAMED.get(ask.method)
        named = msgspec.json.decode(loose[key]) if key is not None and key in loose else None
        ask = msgspec.structs.replace(
            ask, params=encode(loose), name=named if isinstance(named, str) else None
        )
        return self._with_headers(ask, loose, operation) if ask.headers else ask

    def _with_headers(self, ask: Ask, loose: dict[str, msgspec.Raw], operation: str) -> Ask:
        """Headers that repeat arguments repeat the masked ones; others say nothing."""
        marked = self._masking.catalogue.marks(self.server, operation)
        arguments = msgspec.json.decode(loose.get("arguments", b"{}"))
        told = repeated(marked, arguments) if isinstance(arguments, dict) else ()
        return msgspec.structs.replace(ask, headers=told)

    async def posted(self, payload: bytes) -> bytes:
        """What a client tells a server. Raises CallerError."""
        return self._told(payload, await self._checked(payload)) if payload else payload

    def _told(self, before: bytes, masked: Redacted) -> bytes:
        self._count(masked.counts)
        return _with_kept(before, masked.text)

    async def _checked(self, text: bytes) -> Redacted:
        try:
            return await self._masking.masked(text, self._levels.secrets)
        except UncheckableError as error:
            why = f"{self.rule} masks secrets, and what you sent cannot be checked: {error}"
            raise CallerError(codes.INVALID_PARAMS, why, id=self._request) from error

    # -- on the way back -----------------------------------------------------------------------

    def answer(self, method: str, era: Era, answer: Answer) -> Answer:
        """The answer masked; withheld where it cannot be checked. Lists are the servers' own."""
        text = answer.error if answer.result is None else answer.result
        if text is None or method in UNMASKED:
            return answer
        try:
            return self._seen(answer, _at_once(text, self._levels.both))
        except UncheckableError as error:
            return self._withheld(method, era, error)

    def _seen(self, answer: Answer, masked: Redacted) -> Answer:
        self._count(masked.counts)
        if answer.result is None:
            return msgspec.structs.replace(answer, error=masked.text)
        result = _with_kept(answer.result, masked.text)
        return msgspec.structs.replace(answer, result=result)

    def _withheld(self, method: str, era: Era, why: UncheckableError) -> Answer:
        log.warning("redaction.withheld", server=self.server, rule=self.rule, reason=str(why))
        text = f"The result is withheld: {self.rule} has it masked, and it cannot be checked: {why}"
        return sentence(method, era, codes.UPSTREAM_FAILED, text)

    def text(self, text: str) -> str:
        """A sentence for people."""
        try:
            masked = redact_text(text, self._levels.both)
        except UncheckableError:
            return "its reason is withheld"
        self._count(masked.counts)
        return masked.text

    def notice(self, notice: Notice) -> Notice | None:
        """What a server says meanwhile. None where it cannot be checked: then nobody hears it."""
        if notice.method is None or not notice.body:
            return notice  # answers are masked when their call ends
        try:
            params = read_incoming(notice.body).params
            if params is None:
                return notice
            read = _at_once(bytes(params), self._levels.both)
        except (UncheckableError, *_BROKEN) as error:
            log.warning("redaction.withheld", server=self.server, rule=self.rule, reason=str(error))
            return None
        if not read.counts:
            return notice
        self._count(read.counts)
        masked = _with_kept(bytes(params), read.text)
        if notice.id is None:
            body = notification_text(notice.method, masked)
        else:
            body = request_text(notice.id, notice.method, masked)
        return msgspec.structs.replace(notice, body=body)

    # -- both ----------------------------------------------------------------------------------

    def _count(self, counts: Mapping[str, int]) -> None:
        for kind, count in counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        if counts:
            self._masking.meter.redacted(self.server, counts)


class VeiledSink(Before):
    """Passes on to `sink` what `veil` leaves of it. `veil` is asked each time; None: everything."""

    __slots__ = ("_veil",)

    def __init__(self, sink: Sink, veil: Callable[[], Veil | None]) -> None:
        super().__init__(sink)
        self._veil = veil

    def notice(self, notice: Notice) -> None:
        veil = self._veil()
        masked = notice if veil is None else veil.notice(notice)
        if masked is not None:
            self._sink.notice(masked)


def _at_once(text: bytes, among: Detectors) -> Redacted:
    """As `redact_json`, of what is not too long for those who wait. Raises UncheckableError."""
    if len(text) > MOST:
        raise UncheckableError(f"it is longer than {MOST // 1024 // 1024} MiB")
    return redact_json(text, among)


def _said(params: bytes) -> dict[str, bytes]:
    loose = _members(params) if params else {}
    return {name: bytes(loose[name]) for name in SAID if name in loose}


def _with_kept(before: bytes, after: bytes) -> bytes:
    """What the protocol compares stays as it was."""
    if after is before or not any(name.encode() in before for name in KEPT):
        return after
    try:
        old, new = _members(before), _members(after)
    except _BROKEN:
        return after  # no object, so there is no such member
    kept = {name: old[name] for name in KEPT if name in old and old[name] != new.get(name)}
    return encode({**new, **kept}) if kept else after
