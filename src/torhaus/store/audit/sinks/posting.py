"""POST over HTTP for sinks: verified TLS, no redirects, bounded answers, blocking."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from torhaus.config.addresses import networks
from torhaus.model.networks import lies_in
from torhaus.model.shipping import DeliveryError, RefusedError
from torhaus.model.tls import Tls
from torhaus.store.tls import context

MOST_ANSWER = 16 * 1024 * 1024
"""Octets. A `_bulk` answer has some hundred for each record."""

_PRIVATE = networks(["private"])

REFUSED = frozenset((400, 413, 422))
"""What is in the request is wrong, so the same again will be too. Whatever else is not a success
may be (a lapsed key, a missing index, a limit): somebody can put that right."""


def verified(trust: Tls) -> ssl.SSLContext:
    """Raises DeliveryError when one of its files cannot be used."""
    try:
        return context(trust)
    except OSError as error:  # SSLError is one
        why = "no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise DeliveryError(f"its ca_file, cert_file or key_file cannot be used: {why}") from error


class Poster:
    """Keeps one connection to the origin of `url`, which holds no credentials."""

    def __init__(self, url: str, trust: Tls, timeout: float, most: int = MOST_ANSWER) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._tls = verified(trust) if parts.scheme == "https" else None
        self._timeout = timeout
        self._most = most
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, float | None]:
        """The answer to what was taken, and how long to wait where it says so.

        Raises RefusedError, DeliveryError.
        """
        fresh = self._connection is None
        try:
            return self._exchange(body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            if fresh:
                raise DeliveryError(f"it closed the connection: {_why(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise DeliveryError(f"it cannot be reached: {_why(error)}") from error
        try:  # the connection was an old one, and the receiver had closed it meanwhile
            return self._exchange(body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise DeliveryError(f"it cannot be reached: {_why(error)}") from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, float | None]:
        connection = self._connection or self._connect()
        connection.request("POST", self._path, body, dict(headers))
        response = connection.getresponse()
        answer = _whole(response, time.monotonic() + self._timeout, self._most)
        response.close()  # else the next request on this connection is refused
        if response.will_close:
            self.close()
        return _judged(response, answer)

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            made = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        made.connect()
        try:
            if self._tls is None:
                stay_private(made.sock)
        except DeliveryError:
            made.close()
            raise
        self._connection = made
        return made


def stay_private(connection: socket.socket) -> None:
    """Records in plain text leave for private addresses only, whatever a name resolves to.

    Raises DeliveryError.
    """
    peer = connection.getpeername()[0]
    if not lies_in(_PRIVATE, peer):
        raise DeliveryError("it is at a public address: records go there over TLS only")


def _whole(response: http.client.HTTPResponse, deadline: float, most: int) -> bytes:
    found = bytearray()
    while chunk := response.read1(65536):
        found += chunk
        if len(found) > most:
            raise http.client.HTTPException("its answer is too large")
        if time.monotonic() > deadline:
            raise TimeoutError("its answer takes too long")
    return bytes(found)


def _judged(response: http.client.HTTPResponse, answer: bytes) -> tuple[bytes, float | None]:
    status, wait = response.status, retry_after(response.getheader("retry-after"), time.time())
    if 200 <= status < 300:
        return answer, wait
    said = f"it answered HTTP {status}"
    if status in REFUSED:
        raise RefusedError(f"{said}: {answer[:500].decode('utf-8', 'replace')}")
    if 300 <= status < 400:
        raise DeliveryError(f"{said}: redirects are not followed")
    raise DeliveryError(said, wait)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds, of RFC 9110 section 10.2.3: a number of them, or a date."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 10:
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _why(error: Exception) -> str:
    """For people, without addresses of ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
