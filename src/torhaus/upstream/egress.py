"""HTTP to addresses that others chose: resolved once, every answer checked, never past a check.

The socket goes to the address that was checked, while Host and TLS keep the name, so an answer of
the DNS that changes in between (rebinding) changes nothing.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlencode

import httpcore
import httpx
import msgspec

from torhaus.model.fetch import Fetched, FetchError
from torhaus.model.networks import Network
from torhaus.model.texts import filled, marked
from torhaus.upstream.believed import UnusableError, believing

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

FORM = "application/x-www-form-urlencoded"
_PORTS = {"https": 443, "http": 80}
_NAT64 = ip_network("64:ff9b::/96")
# What is handed out for the internet; everything else of IPv6 is local, reserved or a disguise.
_WORLD = ip_network("2000::/3")
_UNSAFE = re.compile(r"[^\x21-\x7e]")


class Bounds(msgspec.Struct, frozen=True):
    """Seconds to connect, and until everything is over."""

    connect: float = 3.0
    total: float = 5.0


class _Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `origin`: scheme, host and port; `named`: the administrator wrote it himself."""

    method: bytes
    url: str
    origin: tuple[str, str, int]
    named: bool
    headers: Mapping[str, str]
    body: bytes
    limit: int


def unwrapped(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for, or itself. None for Teredo's."""
    if isinstance(address, IPv4Address):
        return address
    if address.teredo is not None:
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def public(address: Address) -> bool:
    """Whether everybody on the internet could reach it. `address`: unwrapped."""
    if isinstance(address, IPv6Address) and address not in _WORLD:
        return False
    return address.is_global and not address.is_multicast


def local(address: Address) -> bool:
    """Whether a company may have given it to a server of its own; link-local ones are no such."""
    odd = address.is_link_local or address.is_multicast or address.is_unspecified
    if isinstance(address, IPv4Address):
        odd = odd or address.is_reserved
    return address.is_private and not odd


async def resolve(host: str, port: int) -> list[str]:
    """What the system says. Addresses in other forms, such as 127.1, come out in the usual one."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def origin(url: str) -> tuple[str, str, int]:
    """(scheme, ASCII host, port) of an http(s) URL. Raises FetchError for any other."""
    if len(url) > 2048 or _UNSAFE.search(url) or "\\" in url:
        raise FetchError(_NO_URL)
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchError(_NO_URL) from error
    port = _PORTS.get(parsed.scheme) if parsed.port is None else parsed.port
    if parsed.scheme not in _PORTS or not host or "%" in host or not 0 < (port or 0) < 65536:
        raise FetchError(_NO_URL)
    if parsed.userinfo or parsed.fragment or "#" in url:
        raise FetchError(f"the URL at {host} holds a user or a #fragment")
    return parsed.scheme, host, port or 0


_NO_URL = marked("this is no http(s) URL")
_NOWHERE = marked("there is no address for {host}")


def _said(text: str, host: str) -> str:
    return filled(text, host=host)


def _late(host: str, seconds: float) -> str:
    return filled(marked("{host} took longer than {seconds} s"), host=host, seconds=f"{seconds:g}")


class Egress:
    """The port `Fetch`. `allow`: networks that may be reached although they are not public.

    `ca_file`: trusted besides the system's authorities. Raises FetchError when it is unusable.
    """

    def __init__(
        self,
        allow: Iterable[Network] = (),
        *,
        ca_file: str | None = None,
        bounds: Bounds | None = None,
        resolving: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow = tuple(allow)
        self._bounds = bounds or Bounds()
        self._resolve = resolving
        self._network = network or httpcore.AnyIOBackend()
        try:
            self._tls = believing(ca_file)
        except UnusableError as error:
            raise FetchError(f"egress.ca_file cannot be used: {error}") from error

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        return await self._send(_ask(url, None, headers or {}, named, limit))

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        typed = {"Content-Type": FORM, **(headers or {})}
        return await self._send(_ask(url, urlencode(form).encode(), typed, named, limit))

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        typed = {"Content-Type": "application/json", **(headers or {})}
        return await self._send(_ask(url, body, typed, named, limit))

    async def _send(self, ask: _Ask) -> Fetched:
        host = ask.origin[1]
        try:
            async with asyncio.timeout(self._bounds.total):
                return await self._exchange(ask, await self._checked(ask))
        except TimeoutError as error:
            raise FetchError(_late(host, self._bounds.total)) from error
        except httpcore.ConnectTimeout as error:
            raise FetchError(_late(host, self._bounds.connect)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            text = marked("{host} cannot be reached: {error}")
            raise FetchError(filled(text, host=host, error=_reason(error))) from error

    async def _checked(self, ask: _Ask) -> str:
        """The address to connect to; every one that the name has is good. Raises FetchError."""
        _, host, port = ask.origin
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchError(_said(_NOWHERE, host)) from error
        if not found:
            raise FetchError(_said(_NOWHERE, host))
        for text in found:
            self._check(ask, text)
        return found[0]

    def _check(self, ask: _Ask, text: str) -> None:
        scheme, host, _ = ask.origin
        address = _address(text)
        if address is None:
            raise FetchError(_said(marked("{host} is at an address that cannot be checked"), host))
        listed = any(address in network for network in self._allow)
        plain = listed or (ask.named and address.is_loopback)
        if scheme != "https" and not plain:
            raise FetchError(_said(marked("{host} is asked over https only"), host))
        if not (listed or public(address) or (ask.named and local(address))):
            text = marked("{host} is at {address}, which is not public (see egress.allow)")
            raise FetchError(filled(text, host=host, address=str(address)))

    async def _exchange(self, ask: _Ask, ip: str) -> Fetched:
        """Over a connection of its own: none is used again for what another check let through."""
        # One parser for what is checked and what is sent.
        url = httpx.URL(ask.url)
        sent = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Accept-Encoding": "identity",
            "User-Agent": "Torhaus",
            **ask.headers,
        }
        backend = _Pinned(ip, self._network)
        patience = {"connect": self._bounds.connect}
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, max_keepalive_connections=0, network_backend=backend
            ) as pool,
            pool.stream(
                ask.method,
                sent,
                headers=list(headers.items()),
                content=ask.body or None,
                extensions={"timeout": patience},
            ) as reply,
        ):
            return await _read(reply, ask)


async def _read(reply: httpcore.Response, ask: _Ask) -> Fetched:
    host = ask.origin[1]
    if 300 <= reply.status < 400:
        text = marked("{host} answers with a redirect, and none is followed")
        raise FetchError(_said(text, host))
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers
    }
    # What unpacks to more than it says would get past the limit.
    if headers.get("content-encoding", "identity").lower() != "identity":
        text = marked("{host} answers compressed, which was not asked for")
        raise FetchError(_said(text, host))
    body = b""
    async for chunk in reply.aiter_stream():
        body += chunk
        if len(body) > ask.limit:
            text = marked("{host} answers with more than {limit} octets")
            raise FetchError(filled(text, host=host, limit=str(ask.limit)))
    return Fetched(reply.status, headers, body)


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the one address that was checked, whatever name it is asked for."""

    def __init__(self, ip: str, inner: httpcore.AsyncNetworkBackend) -> None:
        self._ip = ip
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 -- resolved and checked before
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_tcp(self._ip, port, timeout, local_address, socket_options)


def _ask(
    url: str, body: bytes | None, headers: Mapping[str, str], named: Sequence[str], limit: int
) -> _Ask:
    """GET without a body, else POST. Raises FetchError."""
    return _Ask(
        method=b"GET" if body is None else b"POST",
        url=url,
        origin=origin(url),
        named=origin(url) in [origin(each) for each in named],
        headers=headers,
        body=body or b"",
        limit=limit,
    )


def _address(text: str) -> Address | None:
    """Without a zone: link-local addresses, which have one, are never reached anyway."""
    try:
        return unwrapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    """What broke, in words of the libraries: never a word of what the other side said."""
    cause = error.__cause__ if error.__cause__ is not None else error
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not trusted"
    if isinstance(error, httpcore.ProtocolError):
        return "it does not speak HTTP"
    return type(cause).__name__
