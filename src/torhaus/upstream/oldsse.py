"""The deprecated HTTP+SSE transport (MCP 2024-11-05): one event stream down, POSTs up."""

import asyncio
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import structlog

from torhaus.mcp.sse import Event
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import HttpAddress
from torhaus.upstream.faults import DeniedError, FaultError
from torhaus.upstream.pipe import Ears, NotSentError, Opener, Pipe

log = structlog.get_logger()

Headers = tuple[tuple[str, str], ...]
PORTS = {"http": 80, "https": 443}


class StreamHandle(Protocol):
    """An open event stream."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    async def close(self) -> None:
        """End it. Never raises; `on_close` need not be called."""


class Http(Protocol):
    """The HTTP client this transport needs: it adds `accept` and `content-type` itself.

    Both methods raise UpstreamError.
    """

    async def stream(
        self,
        url: str,
        headers: Headers,
        on_event: Callable[[Event], None],
        on_close: Callable[[Exception | None], None],
    ) -> StreamHandle:
        """GET an event stream; returns when its head (200, text/event-stream) has come."""

    async def post(self, url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        """POST JSON; returns status and body."""


def oldsse_opener(server: str, address: HttpAddress, http: Http, timeout: float) -> Opener:
    """`timeout`: seconds until the server must have named its endpoint."""

    async def open_stream(ears: Ears) -> Pipe:
        headers = tuple((name, value.reveal()) for name, value in address.headers)
        pipe = OldSsePipe(server, ears, http, headers)
        try:
            async with asyncio.timeout(timeout):
                await pipe.open(address.url)
        except TimeoutError:
            await pipe.close()
            raise FaultError(f"it named no endpoint within {timeout:g} s") from None
        except BaseException:
            await pipe.close()
            raise
        return pipe

    return open_stream


class OldSsePipe:
    """Made by `oldsse_opener`."""

    def __init__(self, server: str, ears: Ears, http: Http, headers: Headers) -> None:
        self._server = server
        self._ears = ears
        self._http = http
        self._headers = headers
        self._stream: StreamHandle | None = None
        self._endpoint: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ended = False

    async def open(self, url: str) -> None:
        self._stream = await self._http.stream(url, self._headers, self._event, self._closed)
        self._url = _endpoint(url, await self._endpoint)

    async def send(self, message: bytes) -> None:
        if self._ended:
            raise NotSentError("it is not connected")
        status, body = await self._http.post(self._url, self._headers, message)
        if 200 <= status < 300:
            return
        if _is_lost_session(status, body):
            self._end("has forgotten the session")
            raise NotSentError("it has forgotten the session")
        text = f"it refused a message with HTTP status {status}"
        if status in (401, 403):
            raise DeniedError(text, outright=status == 401)
        raise FaultError(text) if status >= 500 else UpstreamError(text)

    def pause(self) -> None:
        if self._stream is not None:
            self._stream.pause()

    def resume(self) -> None:
        if self._stream is not None:
            self._stream.resume()

    async def close(self) -> None:
        self._ended = True
        if self._endpoint.done() and not self._endpoint.cancelled():
            self._endpoint.exception()
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def _event(self, event: Event) -> None:
        if event.event == "endpoint":
            if not self._endpoint.done():
                self._endpoint.set_result(event.data.decode("utf-8", "replace"))
        elif event.event in (None, "message") and event.data:
            self._ears.message(event.data)

    def _closed(self, error: Exception | None) -> None:
        # The text of the error is for the log: it may quote what came over the wire.
        if error is not None:
            log.info("upstream.stream_broke", server=self._server, error=str(error))
        reason = "closed its event stream" if error is None else "lost its event stream"
        if not self._endpoint.done():
            self._endpoint.set_exception(FaultError(f"it {reason}"))
        self._end(reason)

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._ended = True
            self._ears.ended(reason)


def _endpoint(url: str, named: str) -> str:
    """Where to POST. Another origin would get our credential, so it is refused."""
    target = ""
    try:
        target = urljoin(url, named)
        same = _origin(target) == _origin(url)
    except ValueError:
        same = False
    if not same or not target.isascii() or not target.isprintable() or " " in target:
        raise FaultError("it named an endpoint that is not on its own origin")
    return target


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials in a URL")
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def _is_lost_session(status: int, body: bytes) -> bool:
    """404 by the book; the SDKs also say 400 and explain it in prose."""
    text = body[:1000].lower()
    return status in (404, 410) or (status == 400 and (b"session" in text or b"transport" in text))
