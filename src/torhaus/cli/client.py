"""A small MCP client: one session with one server, through a running gateway."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import SplitResult, quote, urlsplit

from torhaus import __version__
from torhaus.mcp.codes import METHOD_NOT_FOUND
from torhaus.mcp.sse import SseParser, TooLargeError
from torhaus.mcp.versions import LATEST_LEGACY

CONNECT = 10.0
PATIENCE = 300.0
MAX_ANSWER = 64 * 1024 * 1024
MAX_PAGES = 50

Message = dict[str, Any]


class GatewayError(Exception):
    """The gateway could not be asked, or said no. The text is a sentence for people."""


class Client:
    """Speaks 2025-11-25. Use it as a context: it opens the session and ends it.

    `url`: the gateway's, such as http://127.0.0.1:8080. Every method raises GatewayError.
    """

    def __init__(self, url: str, server: str, key: str | None) -> None:
        parts = address(url)
        if key is not None and not (key.isascii() and key.isprintable()):
            raise GatewayError("the key holds a line break or letters that no key has")
        self._url = url.rstrip("/")
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/')}/mcp/{quote(server, safe='')}"
        self._key = key
        self._session: str | None = None
        self._version: str | None = None
        self._count = 0

    def __enter__(self) -> Self:
        client = {"name": "torhaus-call", "version": __version__}
        params = {"protocolVersion": LATEST_LEGACY, "capabilities": {}, "clientInfo": client}
        version = self.request("initialize", params).get("protocolVersion")
        self._version = version if isinstance(version, str) else LATEST_LEGACY
        self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def __exit__(self, *_: object) -> None:
        if self._session is None:
            return
        try:
            self._close(self._send("DELETE", None))
        except GatewayError:
            return  # it has answered already; a session that nobody ends expires

    def call(self, tool: str, arguments: Message) -> Message:
        """The result of one tool call; `isError` in it says whether it went well."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})

    def tools(self) -> list[Message]:
        """The tools the gateway lets this caller see."""
        found: list[Message] = []
        params: Message = {}
        for _ in range(MAX_PAGES):
            page = self.request("tools/list", params)
            found += page.get("tools", [])
            if not isinstance(page.get("nextCursor"), str):
                break
            params = {"cursor": page["nextCursor"]}
        return found

    def request(self, method: str, params: Message) -> Message:
        """Send a request and wait for its result; what the server asks meanwhile is declined."""
        self._count += 1
        own = self._count
        request = {"jsonrpc": "2.0", "id": own, "method": method, "params": params}
        connection, response = self._send("POST", request)
        try:
            for message in self._messages(response):
                if "method" in message:
                    self._decline(message)
                elif message.get("id") in (own, None):
                    return _result(message)
        except (OSError, http.client.HTTPException) as error:
            raise GatewayError(f"the answer of {self._url} broke off: {said(error)}") from error
        finally:
            connection.close()
        raise GatewayError(f"{self._url} answered HTTP {response.status} without a result")

    def _messages(self, response: http.client.HTTPResponse) -> Iterator[Message]:
        session = response.headers.get("mcp-session-id")
        if session is not None and self._session is None:
            self._session = session
        if response.headers.get_content_type() == "text/event-stream":
            yield from (self._message(data, response.status) for data in _events(response))
            return
        body = response.read(MAX_ANSWER)
        if body:
            yield self._message(body, response.status)

    def _message(self, data: bytes, status: int) -> Message:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or "jsonrpc" not in message:
            raise GatewayError(f"{self._url} answered HTTP {status}, but not as a Torhaus does")
        return message

    def _decline(self, message: Message) -> None:
        """We declared no capabilities, so a ping is all a server may ask."""
        if "id" not in message:
            return
        error = {"code": METHOD_NOT_FOUND, "message": "this client answers pings only"}
        answer = {"result": {}} if message["method"] == "ping" else {"error": error}
        self._post({"jsonrpc": "2.0", "id": message["id"], **answer})

    def _post(self, message: Message) -> None:
        self._close(self._send("POST", message))

    def _send(
        self, method: str, message: Message | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        body = None if message is None else json.dumps(message).encode()
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(PATIENCE)
            connection.request(method, self._path, body, self._headers())
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise GatewayError(f"nothing answers at {self._url}: {said(error)}") from error

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT)

    def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "User-Agent": f"torhaus/{__version__}",
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if self._session is not None:
            headers["Mcp-Session-Id"] = self._session
        if self._version is not None:
            headers["MCP-Protocol-Version"] = self._version
        return headers

    def _close(self, answered: tuple[http.client.HTTPConnection, http.client.HTTPResponse]) -> None:
        answered[0].close()


def address(url: str) -> SplitResult:
    """The parts of a gateway's URL. Raises GatewayError."""
    wrong = GatewayError(f"{url} is no address of a gateway; write http://127.0.0.1:8080")
    try:
        parts = urlsplit(url)
        usable = parts.port != 0 and parts.hostname and parts.scheme in ("http", "https")
    except ValueError as error:
        raise wrong from error
    if not usable:
        raise wrong
    return parts


def _events(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The data of every event that has some. Raises OSError, HTTPException, GatewayError."""
    parser = SseParser(MAX_ANSWER)
    try:
        while data := response.read1(64 * 1024):
            yield from (event.data for event in parser.feed(data) if event.data)
    except TooLargeError as error:
        raise GatewayError(f"the answer is too large: {error}") from error


def _result(message: Message) -> Message:
    result = message.get("result")
    if isinstance(result, dict):
        return result
    error = message.get("error")
    text = error.get("message") if isinstance(error, dict) else None
    raise GatewayError(str(text or "the gateway answered without a result"))


def said(error: Exception) -> str:
    """A failed connection in a few words."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
