"""What the consent page says: who wants in, where the answer goes, and to what. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from torhaus.identity.oauth.asked import Asked
from torhaus.identity.oauth.metadata import host, readable
from torhaus.identity.oauth.redirects import is_loopback, shown
from torhaus.model.oauth import Client
from torhaus.web.translations import marked

KINDS: Mapping[str, str] = {
    "file": marked("your administrator"),
    "document": marked("its own web site"),
    "registered": marked("nobody: it registered itself, and its name is only what it says"),
}


def context(client: Client, asked: Asked, email: str | None) -> dict[str, Any]:
    """Of `consent.html`, without the ticket."""
    return {
        "client": readable(client.name or client.id),
        "vouched": host(client.id),
        "kind": KINDS[client.kind],
        "goes_to": shown(asked.redirect_uri),
        "local": is_loopback(asked.redirect_uri),
        "server": asked.audience,
        "email": email,
    }


def leads_to(redirect_uri: str) -> tuple[str, ...]:
    """Where the form may lead, for the page's policy: browsers hold redirects to it too.

    `https:` is for identity providers on the way.
    """
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https":
        return ("https:",)
    here = f"http://{parts.netloc}" if parts.scheme == "http" else f"{parts.scheme}:"
    return (here, "https:")
