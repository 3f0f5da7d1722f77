"""The words of the page where a call is approved, in the languages it speaks."""

from collections.abc import Mapping

Words = Mapping[str, str]

ENGLISH: Words = {
    "lang": "en",
    "title": "Approve a call",
    "asks": "{requester} asks to make this call:",
    "server": "Server",
    "tool": "Tool",
    "policy": "Asked for by",
    "reason": "Reason",
    "created": "Asked",
    "expires": "Valid until",
    "arguments": "Arguments",
    "state": "State",
    "pending": "waiting for a decision",
    "approved": "approved",
    "denied": "denied",
    "used": "approved and used",
    "expired": "expired",
    "cancelled": "cancelled",
    "decided_by": "Decided by",
    "key": "Your API key",
    "key_hint": "It shows who decides. It is not kept in the browser.",
    "comment": "Comment",
    "approve": "Approve this call",
    "deny": "Deny",
    "once": "An approval is for exactly this call, once.",
    "done_approved": "Approved. The call passes when it is made again.",
    "done_denied": "Denied. The call will not be made.",
    "no_link": "This link is not valid",
    "no_link_text": "It was changed, has expired, or the request is gone. Ask for a new one.",
    "no_key": "This key is not valid here.",
    "no_form": "The form is too old or came from another page. Open the link again.",
    "refused": "Not decided",
    "down": "The gateway cannot keep a decision now. Try again later.",
}

GERMAN: Words = {
    "lang": "de",
    "title": "Einen Aufruf genehmigen",
    "asks": "{requester} möchte diesen Aufruf machen:",
    "server": "Server",
    "tool": "Werkzeug",
    "policy": "Verlangt von",
    "reason": "Begründung",
    "created": "Gestellt",
    "expires": "Gültig bis",
    "arguments": "Argumente",
    "state": "Stand",
    "pending": "wartet auf eine Entscheidung",
    "approved": "genehmigt",
    "denied": "abgelehnt",
    "used": "genehmigt und benutzt",
    "expired": "abgelaufen",
    "cancelled": "zurückgezogen",
    "decided_by": "Entschieden von",
    "key": "Ihr API-Schlüssel",
    "key_hint": "Er zeigt, wer entscheidet. Der Browser behält ihn nicht.",
    "comment": "Kommentar",
    "approve": "Diesen Aufruf genehmigen",
    "deny": "Ablehnen",
    "once": "Eine Genehmigung gilt für genau diesen Aufruf, einmal.",
    "done_approved": "Genehmigt. Der Aufruf geht durch, wenn er wiederholt wird.",
    "done_denied": "Abgelehnt. Der Aufruf wird nicht gemacht.",
    "no_link": "Dieser Link gilt nicht",
    "no_link_text": "Er wurde verändert, ist abgelaufen, oder die Anfrage gibt es nicht mehr. "
    "Bitten Sie um einen neuen.",
    "no_key": "Dieser Schlüssel gilt hier nicht.",
    "no_form": "Das Formular ist zu alt oder kam von einer anderen Seite. Öffnen Sie den Link neu.",
    "refused": "Nicht entschieden",
    "down": "Das Gateway kann gerade keine Entscheidung festhalten. Versuchen Sie es später.",
}


def words(accept_language: str) -> Words:
    """German for who prefers it to English, else English (RFC 9110 12.5.4)."""
    german, english = _weight(accept_language, "de"), _weight(accept_language, "en")
    return GERMAN if german > english else ENGLISH


def _weight(accept_language: str, language: str) -> float:
    best = 0.0
    for part in accept_language[:500].split(","):
        name, _, rest = part.strip().lower().partition(";")
        if name.partition("-")[0].strip() == language:
            best = max(best, _q(rest))
    return best


def _q(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
