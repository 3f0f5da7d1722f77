"""Where an authorization response may be sent (RFC 8252, RFC 9700): exactly where it was agreed."""

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

MAX_URI = 1024
PRIVATE = frozenset(("cursor://anysphere.cursor-mcp/oauth/callback",))
"""Addresses of programs, not of hosts: only these, in full. Any other program could claim more."""

_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
_LOOPBACK = re.compile(
    r"http://(?P<host>localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?"
)
_HOST = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_DOTS = re.compile(r"/(\.|%2e){1,2}(/|\?|$)", re.IGNORECASE)


def fault(uri: str, also: Collection[str] = PRIVATE) -> str | None:
    """None when a client may name this address; otherwise why not, as a sentence.

    `also`: addresses that are taken as they are.
    """
    if uri in also:
        return None
    if len(uri) > MAX_URI or _ALLOWED.fullmatch(uri) is None:
        return "it is not a URL of visible ASCII without fragment, wildcard and backslash"
    if _DOTS.search(uri):
        return "its path has dots that lead elsewhere"
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return "it is not a URL"
    if "@" in parts.netloc:
        return "it has a user name before the host"
    if port == 0 or not (_LOOPBACK.fullmatch(uri) or parts.scheme == "https"):
        return "only https, http on localhost, 127.0.0.1 or [::1], and known programs are taken"
    return None if parts.scheme == "http" else _https_fault(uri, parts.hostname or "")


def _https_fault(uri: str, host: str) -> str | None:
    plain = uri.startswith(f"https://{host}") and _HOST.fullmatch(host) is not None
    return None if plain else "its host is not a name in lower case"


def fits(sent: str, registered: Iterable[str], ports: Collection[int] = ()) -> bool:
    """Whether a request may name `sent`: character for character one that was registered.

    Loopback alone may use another port (RFC 8252 section 7.3): programs take one that is free.
    `ports`: those it may use; empty for all. Host and path must be the registered ones.
    """
    known = tuple(registered)
    if sent in known and not (ports and _LOOPBACK.fullmatch(sent)):
        return True
    local = _LOOPBACK.fullmatch(sent)
    if local is None or fault(sent) is not None:
        return False
    port = int(local["port"] or 80)
    if ports and port not in ports:
        return False
    return any(_same(local, each) for each in known)


def is_loopback(uri: str) -> bool:
    """Whether it leads to a program on the person's own computer."""
    return _LOOPBACK.fullmatch(uri) is not None


def shown(uri: str) -> str:
    """Host and port for people, or the program's scheme."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}://{parts.netloc}"


def _same(local: re.Match[str], registered: str) -> bool:
    other = _LOOPBACK.fullmatch(registered)
    if other is None:
        return False
    return (local["host"], local["path"] or "/", local["query"]) == (
        other["host"],
        other["path"] or "/",
        other["query"],
    )
