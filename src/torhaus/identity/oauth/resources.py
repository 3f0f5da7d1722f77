"""Which of our addresses a `resource` parameter means (RFC 8707), and how it is written."""

from collections.abc import Container
from urllib.parse import SplitResult, urlsplit

AGGREGATE = ""
_PORTS = {"http": 80, "https": 443}


def resource(origin: str, name: str = AGGREGATE) -> str:
    """The URL that a person types into a client: no trailing slash."""
    return f"{origin}/mcp/{name}" if name else f"{origin}/mcp"


def alias(origin: str, name: str) -> str:
    """The same server at a host name of its own, for clients that insist on the path `/mcp`."""
    scheme, _, host = origin.partition("://")
    return f"{scheme}://{name}.{host}/mcp"


def meant(told: str, origin: str, names: Container[str]) -> str | None:
    """The server or view that `told` is; the empty name is the aggregate. None: not ours.

    Scheme and host in any case, the default port or none, one trailing slash or none. The origin
    alone means the aggregate: some clients send what stands above the address they were given.
    """
    parts = _split(told)
    ours = _split(origin)
    if parts is None or ours is None or parts.query:
        return None
    path = parts.path.removesuffix("/")
    if _place(parts) != _place(ours):
        return _by_alias(parts, ours, path, names)
    if path in ("", "/mcp"):
        return AGGREGATE
    name = path.removeprefix("/mcp/")
    return name if name != path and name and name in names else None


def _by_alias(
    parts: SplitResult, ours: SplitResult, path: str, names: Container[str]
) -> str | None:
    label, _, rest = (parts.hostname or "").partition(".")
    same = (parts.scheme, rest, _port(parts)) == (ours.scheme, ours.hostname, _port(ours))
    return label if same and path == "/mcp" and label in names else None


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if known and "@" not in parts.netloc else None


def _place(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, _port(parts)


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
