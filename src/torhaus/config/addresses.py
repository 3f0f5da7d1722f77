"""How addresses are written: e-mail, URLs, hosts, origins, networks."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from torhaus.config.problems import FaultError
from torhaus.identity.addresses import SHAPE

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")

LOOPBACK = ("127.0.0.0/8", "::1/128")
PRIVATE = (*LOOPBACK, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
WORDS = {"loopback": LOOPBACK, "private": PRIVATE}


def email(value: object) -> str:
    """Lower case, so that one person is one user."""
    if isinstance(value, list):
        raise FaultError("[...] is a list, not an address", "write the address: alice@example.com")
    if not isinstance(value, str) or SHAPE.fullmatch(value) is None:
        raise FaultError("this is not an e-mail address", "write it as alice@example.com")
    return value.lower()


def url(value: str) -> str:
    """An absolute http(s) URL without user, password and fragment."""
    parts = _split(value)
    if parts.scheme.lower() not in ("http", "https"):
        raise FaultError("this is not an http(s) URL", "write it as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise FaultError("a URL must not hold a user or password", "use auth: {type: basic, ...}")
    if parts.fragment or value.endswith("#"):
        raise FaultError("a URL for a server has no #fragment", "remove what follows the #")
    return value


def _split(value: str) -> SplitResult:
    wrong = FaultError(
        "this is not a URL", "write it as https://host/path, in ASCII without spaces"
    )
    if len(value) > 2048 or re.search(r"[^\x21-\x7e]|[\\\"<>^`{|}]", value):
        raise wrong
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise wrong from error
    if not _is_host(parts.hostname or "") or port == 0:
        raise wrong
    return parts


def _is_host(host: str) -> bool:
    if ":" in host:  # urlsplit checked what stands in brackets
        return "%" not in host
    return len(host) <= 253 and all(_LABEL.fullmatch(p) for p in host.removesuffix(".").split("."))


def public_url(value: str) -> str:
    """Where people reach the gate: an origin, because OAuth metadata sits at its root."""
    parts = urlsplit(url(value))
    if parts.path not in ("", "/") or parts.query:
        raise FaultError("the public URL must not have a path", "write scheme and host only")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


def origin(value: str) -> str:
    """What browsers send as Origin, such as `https://app.example` or `vscode-file://x`."""
    parts = _split(value)
    if not parts.scheme or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        raise FaultError("this is not an origin", "write scheme://host or scheme://host:port")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


def host(value: str) -> str:
    """A `Host` header's value: name or address, with or without port."""
    try:
        parts = _split(f"http://{value}")
    except FaultError as error:
        raise FaultError(
            "this is not a host name", "write host or host:port, no http://"
        ) from error
    if parts.netloc != value or "@" in value:
        raise FaultError(
            "this is not a host name", "write host or host:port, no http:// and no path"
        )
    return value.lower()


def networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    """A list of networks, addresses, or the words `loopback` and `private`."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FaultError("this must be a list of networks", "write [loopback] or [10.0.0.0/8]")
    found = [net for item in value for net in WORDS.get(item, (item,))]
    return tuple(dict.fromkeys(_network(item) for item in found))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        try:
            hint = f"did you mean {ip_network(text, strict=False)}?"
        except ValueError:
            hint = "write 10.0.0.0/8, 192.168.1.7, loopback or private"
        raise FaultError("this is not a network", hint) from error


_NETWORKS = WithJsonSchema({"type": "array", "items": {"type": "string"}})

Email = Annotated[
    str, BeforeValidator(email), WithJsonSchema({"type": "string", "format": "email"})
]
Url = Annotated[str, AfterValidator(url)]
PublicUrl = Annotated[str, AfterValidator(public_url)]
Origin = Annotated[str, AfterValidator(origin)]
Host = Annotated[str, AfterValidator(host)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(networks), _NETWORKS]


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(network: IPv4Network | IPv6Network) -> bool:
    """Whether a network lies wholly within loopback, private and link-local addresses."""
    within = [ip_network(word) for word in PRIVATE]
    return any(
        w.version == network.version and network.subnet_of(w)  # type: ignore[arg-type]
        for w in within
    )
