"""The one place where ends become JSON-RPC messages (design.md 6; protocol research A.2)."""

from collections.abc import Mapping
from math import ceil
from typing import assert_never

from torhaus.edge.exchange import Exchange, Header
from torhaus.gate.calls import Asking
from torhaus.gate.sentences import sentence
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, error_object, error_text, result_text
from torhaus.model.outcome import Abandoned, Answered, Failed, Held, Limited, Outcome, Refused
from torhaus.model.servers import Era
from torhaus.model.verdict import Deny
from torhaus.policy.pins import UNKNOWN, unknown

Ending = tuple[int, bytes]
"""HTTP status and the JSON-RPC message."""


def ending(asking: Asking, outcome: Outcome) -> Ending:
    """A tool call ends in a result the model can read; anything else in a JSON-RPC error."""
    request = asking.request
    match outcome:
        case Answered(answer=answer) | Held(answer=answer):
            if answer.result is not None:
                return answer.status, result_text(request.id, answer.result)
            # To a legacy client 404 means that its session is gone, which it is not.
            gone = asking.era is Era.LEGACY and answer.status == 404
            return 200 if gone else answer.status, error_text(request.id, answer.error or b"{}")
        case Refused(verdict=verdict, approval=approval):
            return 200, _refusal(asking, verdict, approval)
        case Limited():
            return 200, _limit(asking, outcome)
        case Failed(reason=reason):
            return 200, said(asking, codes.UPSTREAM_FAILED, reason)
        case Abandoned():
            return 200, said(asking, codes.INTERNAL_ERROR, "the call was cancelled")
        case _:
            assert_never(outcome)


def _refusal(asking: Asking, verdict: Deny, approval: str | None) -> bytes:
    request = asking.request
    name = request.params.get("name")
    if asking.server.hide_denied and approval is None and isinstance(name, str):
        verdict = unknown(name) if request.method == "tools/call" else verdict
    if verdict.code == UNKNOWN:
        return error_text(request.id, error_object(codes.INVALID_PARAMS, verdict.reason))
    about = {"verdict": "deny", "policy_applied": verdict.rule, "code": verdict.code}
    if approval is not None:
        about["approval"] = approval
    return said(asking, codes.REFUSED, verdict.reason, "torhaus/verdict", about)


def _limit(asking: Asking, outcome: Limited) -> bytes:
    seconds = max(1, ceil(outcome.retry_after))
    text = outcome.text or f"Rate limit reached: {outcome.limit}. Retry in {seconds} s."
    about = {"limit": outcome.limit, "retryAfterMs": seconds * 1000}
    return said(asking, codes.LIMITED, text, "torhaus/limit", about)


def said(
    asking: Asking, code: int, text: str, key: str = "", about: Mapping[str, object] | None = None
) -> bytes:
    """The message that says `text`, with `about` under `key` for programs."""
    request = asking.request
    known = None if about is None else (key, about)
    told = sentence(request.method, asking.era, code, text, known)
    if told.result is None:
        return error_text(request.id, told.error or b"")
    return result_text(request.id, told.result)


def caller_error(error: CallerError) -> Ending:
    return error.status, error_text(error.id, error_object(error.code, str(error), error.data))


def say(exchange: Exchange, error: CallerError) -> None:
    """Answer with an error; a 405 names what is allowed (RFC 9110 15.5.6)."""
    allow: tuple[Header, ...] = ()
    if error.status == 405:
        only_post = exchange.head.method in (b"GET", b"DELETE")
        allow = ((b"allow", b"POST" if only_post else b"POST, GET, DELETE"),)
    exchange.answer(*caller_error(error), *allow)
