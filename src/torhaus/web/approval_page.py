"""What the page shows at which one call is looked at and decided. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from torhaus.model.approval import Approval, State
from torhaus.web.translations import marked

STATES: Mapping[State, tuple[str, str]] = {
    State.PENDING: ("approval", marked("waiting for a decision")),
    State.APPROVED: ("allow", marked("approved")),
    State.DENIED: ("deny", marked("denied")),
    State.USED: ("allow", marked("approved and used")),
    State.EXPIRED: ("", marked("expired")),
    State.CANCELLED: ("", marked("cancelled")),
}
"""The badge's class, and what people read."""
DONE: Mapping[State, str] = {
    State.APPROVED: marked("Approved. The call passes when it is made again."),
    State.DENIED: marked("Denied. The call will not be made."),
}
TITLE = marked("Approve a call")
NO_LINK = marked("This link is not valid")
NO_LINK_TEXT = marked("It was changed, has expired, or the request is gone. Ask for a new one.")
NO_KEY = marked("This key is not valid here.")
NO_FORM = marked("The form is too old or came from another page. Open the link again.")
DOWN = marked("The gateway cannot keep a decision now. Try again later.")


def context(approval: Approval, *, form: str | None, said: str = "") -> dict[str, Any]:
    """Of `approval.html`. `form`: its token; None where there is nothing to decide any more.

    `said`: why the last try was refused.
    """
    wanted = approval.wanted
    facts = (
        (marked("Server"), wanted.server),
        (marked("Tool"), wanted.tool),
        (marked("Asked for by"), wanted.policy),
        (marked("Reason"), wanted.reason),
    )
    kind, state = STATES[approval.state]
    return {
        "requester": visible(wanted.email),
        "facts": [(name, visible(value)) for name, value in facts if value],
        "created": approval.created,
        "expires": approval.expires,
        "state": state,
        "state_kind": kind,
        "decided_by": visible(approval.decided_by or ""),
        "comment": visible(approval.comment),
        "arguments": visible(_indented(wanted.arguments)),
        "form": form,
        "trouble": said,
    }


def _indented(text: str) -> str:
    """JSON in lines; what is none, or too deep, as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def visible(text: str) -> str:
    r"""What would hide or reorder what is read (controls, bidi marks) becomes `\uXXXX`."""
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\u{ord(each):04x}" for each in text
    )
