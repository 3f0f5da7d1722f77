"""How a call ends that nobody carries any further."""

import msgspec

from torhaus.cache.mark import marked
from torhaus.gate.intents import UNWRITTEN
from torhaus.limits.words import refusal
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, error_object
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Limited,
    Outcome,
    Refused,
    Served,
)
from torhaus.model.ports import Entry, Joined, LedgerError, Shortage, UpstreamError
from torhaus.model.verdict import Allow, Deny, Hold, Verdict
from torhaus.redact.guard import Guard
from torhaus.redact.text import UncheckableError

MOST = 64 * 1024
"""Octets of a server's error: everybody waits while it is looked through, and more cost seconds."""


def so_far(verdict: Verdict) -> Outcome:
    return Refused(verdict) if isinstance(verdict, Deny) else Abandoned(verdict)


def stopped(verdict: Verdict, error: CallerError | LedgerError) -> Outcome:
    """It turned out to be no call, or cannot be recorded."""
    if isinstance(error, LedgerError):
        return Refused(Deny("audit_logs", "audit_unavailable", UNWRITTEN))
    return so_far(verdict)


def limited(verdict: Allow, shortage: Shortage) -> Limited:
    """A budget is used up."""
    charge = shortage.charge
    return Limited(verdict, charge.limit, shortage.retry_after, refusal(shortage))


def failed(verdict: Verdict, server: str, why: str, error: UpstreamError) -> Outcome:
    """The server could not answer, or not say what its tools are."""
    text = f"{server} cannot answer: {why}"
    match verdict:
        case Allow():
            return Failed(verdict, text, joined=isinstance(error, Joined))
        case Hold():
            return Refused(Deny(verdict.rule, "server_unavailable", text, verdict.allow.actions))
        case Deny():
            return Refused(verdict)


def told(answer: Answer, guard: Guard) -> Answer:
    """An error in the server's words, which may repeat the credential it was shown."""
    error = answer.error
    if error is None:
        return answer
    try:
        if len(error) > MOST:
            raise UncheckableError(f"it is longer than {MOST // 1024} KiB")  # noqa: TRY301 -- as all others
        clean = guard.json(error)
    except UncheckableError as why:
        clean = error_object(codes.UPSTREAM_FAILED, f"the server's error cannot be shown: {why}")
    return answer if clean is error else msgspec.structs.replace(answer, error=clean)


def from_cache(verdict: Allow, entry: Entry, result: bytes, now: float, how: Served) -> Answered:
    age = now - entry.stored
    return Answered(
        verdict,
        Answer(result=marked(result, age, entry.expires - now)),
        cached=True,
        age=age,
        cacheable=True,
        items=entry.items,
        served=how,
    )
