"""What keeps other sites and injected text from acting through our pages. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
OURS = frozenset((b"same-origin", b"none"))
"""Fetch metadata of what our own pages or the person himself asked for."""

COMMON: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}

_OFF = ("camera", "geolocation", "microphone", "payment", "usb", "serial", "display-capture")


def page_headers(*, form_action: Iterable[str] = ()) -> dict[str, str]:
    """Of every HTML page. No script runs at all: no page of ours needs one.

    `form_action`: where a form's answer may lead besides here; browsers hold redirects to it too.
    """
    actions = " ".join(("'self'", *form_action))
    return {
        **COMMON,
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            f"form-action {actions}; base-uri 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        # Tokens in addresses must not travel on; without any referrer, browsers hide the origin.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": ", ".join(f"{name}=()" for name in _OFF),
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }


def foreign(scope: Mapping[str, Any], origin: str | None) -> bool:
    """Whether another site made the browser send this.

    `origin`: where people reach us, if that is known; a proxy may have changed the Host.
    By fetch metadata; where a browser sends none, by the Origin. A program that sends neither has
    no cookies of anybody, and the form's token is asked for besides.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in OURS
    sent = headers.get(b"origin")
    if sent is None:
        return False
    came = sent.decode("latin-1").lower()
    here = headers.get(b"host", b"").decode("latin-1").lower()
    return came != (origin or "").lower() and came.partition("://")[2] != here
