"""How a call ends that nobody carries any further."""

from torhaus.gate.intents import UNWRITTEN
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Abandoned, Failed, Outcome, Refused
from torhaus.model.ports import Joined, LedgerError, UpstreamError
from torhaus.model.verdict import Allow, Deny, Hold, Verdict


def so_far(verdict: Verdict) -> Outcome:
    return Refused(verdict) if isinstance(verdict, Deny) else Abandoned(verdict)


def stopped(verdict: Verdict, error: CallerError | LedgerError) -> Outcome:
    """It turned out to be no call, or cannot be recorded."""
    if isinstance(error, LedgerError):
        return Refused(Deny("audit_logs", "audit_unavailable", UNWRITTEN))
    return so_far(verdict)


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
