"""Where people find a running gateway, and the line that connects their client to it."""

import shlex
import socket
from collections.abc import Iterable

from torhaus.config.settings import Settings

EVERYWHERE = frozenset(("0.0.0.0", "::"))  # noqa: S104 -- recognised here, bound elsewhere


def local_url(settings: Settings, port: int) -> str:
    """How to reach the gateway from this machine."""
    host = settings.host
    if host in EVERYWHERE:
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 -- as above
    scheme = "http" if settings.tls is None else "https"
    return f"{scheme}://{_bracketed(host)}:{port}"


def team_url(settings: Settings, port: int) -> str:
    """How others reach it, as far as we know."""
    if settings.public_url is not None:
        return settings.public_url
    if settings.host in EVERYWHERE:
        return f"http://{socket.gethostname()}:{port}"
    return local_url(settings, port)


def connect_lines(url: str, servers: Iterable[str], key: str | None) -> list[str]:
    """One `claude mcp add` for each server, to be copied into a shell.

    `key`: None where the client signs in through the browser.
    """
    header = "" if key is None else f" --header {_quoted(f'apikey: {key}')}"
    return [f"claude mcp add --transport http {name} {url}/mcp/{name}{header}" for name in servers]


def _quoted(text: str) -> str:
    safe = not any(each in '"$`\\!' for each in text)
    return f'"{text}"' if safe else shlex.quote(text)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
