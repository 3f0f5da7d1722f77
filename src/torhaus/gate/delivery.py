"""How a caller hears that somebody must agree to his call: what each client can show.

URL elicitation: 2025-11-25 as a request of the server, 2026-07-28 as an `InputRequiredResult`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from torhaus.audit.shape import timestamp
from torhaus.gate import sentences
from torhaus.gate.calls import Asking
from torhaus.gate.retries import KEY
from torhaus.mcp import codes
from torhaus.mcp.message import encode, notification_text, request_text
from torhaus.mcp.methods import MAY_ASK
from torhaus.mcp.versions import CAPABILITIES_KEY, LATEST_LEGACY
from torhaus.model.approval import Approval
from torhaus.model.outcome import Answer
from torhaus.model.ports import Notice
from torhaus.model.servers import Era

ELICIT = "elicitation/create"
COMPLETE = "notifications/elicitation/complete"
CANCELLED = "notifications/cancelled"
PROGRESS = "notifications/progress"
META = "torhaus/approval"


def shows_links(asking: Asking) -> bool:
    """Whether the client has said that it can show its user a link and ask him to open it."""
    if asking.era is Era.MODERN:
        if asking.request.method not in MAY_ASK:
            return False
        capabilities = asking.request.params["_meta"][CAPABILITIES_KEY]
    elif asking.session is None or asking.session.version != LATEST_LEGACY:
        return False  # the link mode came with that revision
    else:
        capabilities = _object(asking.session.capabilities)
    elicitation = capabilities.get("elicitation")
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


def who(approvers: tuple[tuple[str, ...], ...], server: str) -> str:
    """`lead or bob@example.org, and an administrator of github`."""
    lists = approvers or ((),)
    each = [" or ".join(names) if names else f"an administrator of {server}" for names in lists]
    return ", and ".join(dict.fromkeys(each))


def _until(approval: Approval) -> str:
    return f"{datetime.fromtimestamp(approval.expires, UTC):%H:%M} UTC"


def sentence(approval: Approval, link: str | None) -> str:
    """What a model or a person reads who has to wait."""
    wanted = approval.wanted
    show = f"Link for them: {link}" if link is not None else "Tell them this id"
    return (
        f"Pending: {wanted.reason} Who can agree: {who(wanted.approvers, wanted.server)}; "
        f"not {wanted.email}, who asks. Request {approval.id}, open until {_until(approval)}. "
        f"{show}. Call again with the same arguments once it is approved."
    )


def about(approval: Approval, link: str | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "id": approval.id,
        "state": approval.state.value,
        "policy": approval.wanted.policy,
        "expires": timestamp(approval.expires),
        **({} if link is None else {"url": link}),
    }


def pending(asking: Asking, approval: Approval, link: str | None) -> Answer:
    """Not now: come back. A tool's result, which the model reads; else a JSON-RPC error."""
    text, known = sentence(approval, link), (META, about(approval, link))
    return sentences.sentence(asking.request.method, asking.era, codes.PENDING, text, known)


def question(approval: Approval, link: str) -> dict[str, Any]:
    """The parameters of an elicitation in link mode, as both eras have them."""
    wanted = approval.wanted
    message = (
        f"{wanted.reason} Who can agree: {who(wanted.approvers, wanted.server)}. You asked, "
        f"so you cannot approve it yourself: open the page to follow request {approval.id}, or "
        f"send them its link. It is open until {_until(approval)}."
    )
    return {"mode": "url", "message": message, "url": link}


def asks(approval: Approval, link: str, state: str) -> Answer:
    """`input_required`, with the question for the user."""
    ask = {"method": ELICIT, "params": question(approval, link)}
    return _required(approval, link, {"inputRequests": {KEY: ask}, "requestState": state})


def asks_to_wait(approval: Approval, link: str, state: str) -> Answer:
    """`input_required` without a question: the user has seen it, the client just comes back."""
    return _required(approval, link, {"requestState": state})


def _required(approval: Approval, link: str, rest: Mapping[str, Any]) -> Answer:
    result = {"resultType": "input_required", **rest, "_meta": {META: about(approval, link)}}
    return Answer(result=encode(result))


# -- on the stream of a call that waits --------------------------------------------------------


def asking_notice(approval: Approval, link: str, id_text: bytes) -> Notice:
    """The question to a client with a session. `elicitationId` is gone in 2026-07-28."""
    params = {**question(approval, link), "elicitationId": approval.id}
    body = request_text(id_text, ELICIT, encode(params))
    return Notice(body=body, method=ELICIT, id=id_text)


def complete_notice(approval: Approval) -> Notice:
    """The elicitation is over: clients close what they show of it."""
    params = encode({"elicitationId": approval.id})
    return Notice(body=notification_text(COMPLETE, params), method=COMPLETE)


def call_off_notice(id_text: bytes) -> Notice:
    """The question is not open any more."""
    params = encode({"requestId": msgspec.Raw(id_text), "reason": "the call is answered"})
    return Notice(body=notification_text(CANCELLED, params), method=CANCELLED)


def progress_token(asking: Asking) -> object | None:
    meta = asking.request.params.get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


def progress_notice(token: object, step: int, approval: Approval) -> Notice:
    """The server's own progress begins after ours, so ours stays far below one unit."""
    wanted = approval.wanted
    text = f"waiting for {who(wanted.approvers, wanted.server)} to agree ({approval.id})"
    params = {"progressToken": token, "progress": step / 1000, "message": text}
    return Notice(body=notification_text(PROGRESS, encode(params)), method=PROGRESS)


def _object(text: bytes) -> dict[str, Any]:
    try:
        loose = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return {}
    return loose if isinstance(loose, dict) else {}
