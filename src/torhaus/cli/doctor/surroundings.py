"""What the gateway depends on: its port, the servers behind it, the machine it runs on."""

import http.client
import platform
import ssl
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from torhaus import __version__
from torhaus.cli.addresses import local_url
from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.cli.listening import TakenError, listen
from torhaus.cli.listing import listed
from torhaus.cli.output import counted
from torhaus.config.settings import Settings
from torhaus.model.servers import Server
from torhaus.policy.judged import judge

PATIENCE = 3.0
SERVER_PATIENCE = 20.0
OLDEST = (3, 11)


def port(settings: Settings) -> Finding:
    """Whether it is free, or ours already."""
    where = f"port {settings.port} on {settings.host}"
    try:
        for each in listen(settings.host, settings.port):
            each.close()
    except TakenError as error:
        return _running(settings, str(error))
    return good("port", f"{where} is free")


def _running(settings: Settings, trouble: str) -> Finding:
    url = local_url(settings, settings.port)
    health, body = _get(url, "/health")
    if (health, body.replace(b" ", b"")) != (200, b'{"status":"healthy"}'):
        return bad("port", trouble, "free it, or set server.port to another one")
    ready, body = _get(url, "/ready")
    if ready == 200 and (unwell := _unwell(body)):
        told = f"a Torhaus answers at {url}, but not all behind it is well: {unwell}"
        return doubt("port", told, "torhaus servers says what went wrong")
    if ready == 200:
        return good("port", f"a healthy Torhaus answers at {url}")
    return bad("port", f"the Torhaus at {url} refuses calls", f"see {url}/status and its log")


def _get(url: str, path: str) -> tuple[int, bytes]:
    """Status and body; 0 when nothing answers."""
    parts = urlsplit(url)
    host, where = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, where, timeout=PATIENCE, context=_ours())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, where, timeout=PATIENCE)
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(1024 * 1024)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _ours() -> ssl.SSLContext:
    """Our own port on this machine: the certificate is for another name, and nothing is told."""
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _unwell(body: bytes) -> str:
    """Which servers a running gateway cannot use as it should, in words; empty when none."""
    try:
        found = msgspec.json.decode(body, type=_Ready).unwell
    except msgspec.MsgspecError:
        return ""
    return ", ".join(f"{name} ({each.state})" for name, each in sorted(found.items()))


class _Unwell(msgspec.Struct):
    state: str


class _Ready(msgspec.Struct):
    unwell: dict[str, _Unwell] = {}


def servers(known: Mapping[str, Server]) -> Iterator[Finding]:
    """Connect to each one, as the gateway would, and let it list its tools."""
    asked = list(known.values())
    for server, found in zip(asked, listed(asked, SERVER_PATIENCE), strict=True):
        check = f"server {server.name}"
        if isinstance(found, str):
            fix = f"correct mcpServers.{server.name}, or start the server; users of others are fine"
            yield bad(check, f"cannot be asked: {found}", fix)
            continue
        judged = (judge(server, tool.name, tool.annotations or {}) for tool in found)
        unknown = [tool.name for tool in judged if tool.source == "unknown"]
        told = counted(len(found), "tool")
        if unknown:
            told += (
                f"; {len(unknown)} of them only with {server.name}:*, as nobody says what they do"
            )
        yield good(check, told)


def zone(name: str) -> Finding:
    """Whether days can be reckoned in the configured time zone."""
    try:
        ZoneInfo(name)
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return bad("time zones", "their rules are not installed", "pip install tzdata")
    return good("time zones", f"days end in {name}")


def versions() -> Finding:
    """What runs here."""
    python = platform.python_version()
    told = f"Torhaus {__version__}, Python {python}, uvloop {metadata.version('uvloop')}"
    if sys.version_info < OLDEST:
        return bad("versions", told, "Torhaus needs Python 3.11 or newer")
    if sys.implementation.name != "cpython":
        return doubt("versions", told, "Torhaus is tested on CPython only")
    return good("versions", told)
