"""Turns a finished call into its audit record."""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from torhaus.audit.arguments import arguments
from torhaus.audit.items import UnreadableError, count
from torhaus.audit.opaque import UNKNOWN, opaque
from torhaus.model.call import Call
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Held,
    Limited,
    Outcome,
    Refused,
)
from torhaus.model.people import Principal
from torhaus.model.record import (
    INTENT,
    NO_CALL,
    OUTCOME,
    Record,
    RecordAccess,
    RecordCall,
    RecordResult,
    RecordUser,
)
from torhaus.model.verdict import Allow

MAX_NAME = 256
"""Longest operation, server, address or role list in a record, in characters."""

MAX_REASON = 1024

_NOTHING = msgspec.Raw(b"{}")
_FREE = NO_CALL.cost  # the encoder leaves out what is the default itself, not what equals it
_MILLIS = tuple(f".{millis:03d}Z" for millis in range(1000))


def record(
    call: Call,
    outcome: Outcome,
    began: float,
    seconds: float,
    redacted: int = 0,
    cost: float = 0.0,
) -> Record:
    """The record of a call that began at `began` (Unix seconds) and took `seconds`. Never raises.

    `redacted`: how many parts of it were masked. `cost`: what it cost, in whatever currency.

    Text from outside is bounded and encodable, so that no call can spoil the log for others.
    """
    status, items = ended(outcome)
    cached = type(outcome) is Answered and outcome.cached
    caller, number, operation = call.caller, call.id, call.operation
    if not number.isascii() or not operation.isascii() or len(operation) > MAX_NAME:
        number, operation = plain(number, MAX_NAME), plain(operation, MAX_NAME)
    found = Record(
        timestamp(began),
        number,
        _user(caller.email, caller.roles(began), call.ip),
        _server(call.server.name),
        operation,
        arguments(call),
        RecordResult(status, items, cached, milliseconds(seconds), redacted),
        verdict_fields(outcome),
        about(call, outcome, cost),
        call.shown,
    )
    return _discreet(found) if call.invented else found


def _discreet(record: Record) -> Record:
    """Without a name that is none, if it looks like a secret: in its reason it stands again."""
    name, access = record.operation, record.access_control
    if not opaque(name):
        return record
    access = msgspec.structs.replace(access, reason=access.reason.replace(name, UNKNOWN))
    return msgspec.structs.replace(record, operation=UNKNOWN, access_control=access)


def intent(call: Call, verdict: Allow, at: float) -> Record:
    """The record that a call is about to go to its server, at `at` (Unix seconds). Never raises."""
    caller = call.caller
    rule, reason = plain(verdict.rule, MAX_NAME), plain(verdict.reason, MAX_REASON)
    found = Record(
        timestamp(at),
        plain(call.id, MAX_NAME),
        _user(caller.email, caller.roles(at), call.ip),
        plain(call.server.name, MAX_NAME),
        plain(call.operation, MAX_NAME),
        arguments(call),
        RecordResult("started", None, False, 0),
        RecordAccess(rule, True, reason, verdict.approved),
        about(call),
        call.shown,
        INTENT,
    )
    return _discreet(found) if call.invented else found


def interrupted(intent: Record) -> Record:
    """The outcome of a call that only its intent is known of: whoever made it died meanwhile."""
    end = RecordResult("interrupted", None, False, 0)
    return msgspec.structs.replace(intent, result=end, phase=OUTCOME)


def repeated(
    like: Record, request_id: str, outcome: Answered, began: float, seconds: float, trace: str
) -> Record:
    """The record of a call that is like an earlier one, which the cache has answered as well."""
    known, received = like.call, len(outcome.answer.result or b"")
    return Record(
        timestamp(began),
        request_id,
        like.user,
        like.mcp_server,
        like.operation,
        like.parameters,
        RecordResult("success", outcome.items, True, milliseconds(seconds)),
        like.access_control,
        RecordCall(known.client, known.protocol, known.sent, received, _FREE, trace),
        like.credential,
    )


def about(call: Call, outcome: Outcome | None = None, cost: float = 0.0) -> RecordCall:
    """What is known of a call besides. `received` is the result, or the error, that was given."""
    client, received = call.client, 0
    if not client.isascii():
        client = plain(client, MAX_NAME)
    if type(outcome) is Answered:
        answer = outcome.answer
        received = len(answer.result or answer.error or b"")
    return RecordCall(client, call.protocol, call.sent, received, cost or _FREE, call.trace)


def rejected(  # noqa: PLR0913 - one argument for each column that is not fixed
    at: float,
    request_id: str,
    principal: Principal,
    ip: str,
    server_name: str,
    reason: str,
    seconds: float,
) -> Record:
    """The record of a known caller's request that never became a call, such as broken JSON."""
    return Record(
        timestamp(at),
        plain(request_id, MAX_NAME),
        _user(principal.email, principal.roles(at), ip),
        plain(server_name, MAX_NAME),
        "invalid",
        _NOTHING,
        RecordResult("error", None, False, milliseconds(seconds)),
        RecordAccess("invalid_request", False, plain(reason, MAX_REASON)),
        NO_CALL,
        principal.shown,
    )


def verdict_fields(outcome: Outcome) -> RecordAccess:
    """What policy said. For a limited call, which policy allowed, the reason is the limit."""
    verdict = outcome.verdict
    if type(outcome) is Answered and outcome.verdict.approved is None:
        return _allowed(verdict.rule, verdict.reason)  # both come from the configuration alone
    reason = verdict.reason
    if isinstance(outcome, Limited):
        reason = f"limit {outcome.limit} is used up, next call in {outcome.retry_after:.0f} s"
    allowed = isinstance(verdict, Allow)
    rule = plain(verdict.rule, MAX_NAME)
    return RecordAccess(rule, allowed, plain(reason, MAX_REASON), approval_of(outcome))


def approval_of(outcome: Outcome) -> str | None:
    """The request for approval that the call needed or used."""
    match outcome:
        case Answered(verdict=verdict) | Limited(verdict=verdict) | Failed(verdict=verdict):
            return verdict.approved
        case Held(approval=approval) | Refused(approval=approval) | Abandoned(approval=approval):
            return approval


def ended(outcome: Outcome) -> tuple[str, int | None]:
    """The `status` of an end, and the number of items in its result where known."""
    if type(outcome) is Answered:  # nearly every call; a third of the price of `match`
        if outcome.cached:
            return "success", outcome.items  # only successes are kept, counted when they came
        return _answered(outcome.answer)
    match outcome:
        case Refused():
            return "denied", None
        case Held():
            return "pending", None
        case Limited():
            return "limited", None
        case Failed():
            return "error", None
        case Abandoned():
            return "cancelled", None


def _answered(answer: Answer) -> tuple[str, int | None]:
    counted, result = answer.counted, answer.result
    if counted is not None and counted.of is result:
        return ("error" if counted.is_error else "success"), counted.items
    if answer.error is not None or result is None:
        return "error", None
    try:
        is_error, items = count(result)
    except UnreadableError:
        return "error", None  # the client got something that is not a result
    return ("error" if is_error else "success"), items


def timestamp(at: float) -> str:
    """Unix seconds as `2025-10-20T14:23:11.234Z`, rounded to milliseconds."""
    return _stamp(round(at * 1000))


@lru_cache(maxsize=8)
def _stamp(millis: int) -> str:
    """A busy gateway begins several calls in one millisecond."""
    second, rest = divmod(millis, 1000)
    return _second(second) + _MILLIS[rest]


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def milliseconds(seconds: float) -> float:
    """Milliseconds to at most three decimals; a whole number where it is one."""
    try:
        micros = round(seconds * 1e6)
    except (ValueError, OverflowError):
        return seconds  # no finite number: nothing to round
    return micros / 1000 if micros % 1000 else micros // 1000


def plain(text: str, most: int) -> str:
    """Text of at most `most` characters that UTF-8 can carry."""
    if text.isascii() and len(text) <= most:
        return text
    short = text if len(text) <= most else text[: most - 1] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=1024)
def _allowed(rule: str, reason: str) -> RecordAccess:
    return RecordAccess(plain(rule, MAX_NAME), True, plain(reason, MAX_REASON))


@lru_cache(maxsize=1024)
def _server(name: str) -> str:
    return plain(name, MAX_NAME)


@lru_cache(maxsize=4096)
def _user(email: str, roles: tuple[str, ...], ip: str) -> RecordUser:
    return RecordUser(plain(email, MAX_NAME), plain(",".join(roles), MAX_NAME), plain(ip, MAX_NAME))
