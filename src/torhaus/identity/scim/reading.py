"""Who a provisioned user is here, read from his document."""

from torhaus.identity.addresses import address as one_form
from torhaus.identity.scim.attributes import Document

LONGEST_NAME = 200


def address(document: Document) -> str | None:
    """His address: the primary one, or the one for work, or the first, or else his user name.

    None where none of them is one: then he is nobody here.
    """
    emails = document.get("emails", [])
    best = [
        *(each for each in emails if each.get("primary")),
        *(each for each in emails if str(each.get("type", "")).lower() == "work"),
        *emails,
    ]
    for text in (*(each["value"] for each in best), document["userName"]):
        found = one_form(text)
        if found is not None:
            return found
    return None


def name(document: Document) -> str:
    """What people call him."""
    parts = document.get("name", {})
    both = f"{parts.get('givenName', '')} {parts.get('familyName', '')}".strip()
    found: str = document.get("displayName") or parts.get("formatted") or both
    return found[:LONGEST_NAME]


def active(document: Document) -> bool:
    return bool(document.get("active", True))
