"""Syslog over UDP, TCP and TLS."""

import fcntl
import os
import socket
import ssl
import struct
import termios
import time
from collections.abc import Sequence
from errno import EMSGSIZE
from typing import Any

from torhaus.audit.syslog import counted, host_name, message
from torhaus.model.shipping import DeliveryError, Parcel, RefusedError, SyslogTarget
from torhaus.store.audit.sinks.posting import stay_private, verified

_POLL = 0.005
"""Seconds between two questions whether the receiver has it all."""


class SyslogSink:
    """RFC 5424 messages; over TCP and TLS with octet counting (RFC 6587, RFC 5425).

    Syslog knows no answer. Over TCP and TLS a batch counts as delivered when the receiver's
    system has acknowledged every octet of it; over UDP when this system has sent it.
    """

    def __init__(self, target: SyslogTarget, timeout: float) -> None:
        self._target = target
        self._timeout = timeout
        self._host = host_name(socket.gethostname())
        self._process = str(os.getpid())
        self._tls = verified(target.trust) if target.transport == "tls" else None
        self._socket: socket.socket | None = None

    def deliver(self, batch: Sequence[Parcel]) -> None:
        messages = [
            message(parcel, self._target.facility, self._host, self._process) for parcel in batch
        ]
        try:
            connection = self._connected()
            if self._target.transport == "udp":
                self._datagrams(connection, messages)
            else:
                connection.sendall(b"".join(map(counted, messages)))
                self._acknowledged(connection)
        except OSError as error:
            self.close()
            raise DeliveryError(f"it cannot be reached: {_why(error)}") from error

    def _datagrams(self, connection: socket.socket, messages: list[bytes]) -> None:
        for each in messages:
            try:
                connection.send(each)
            except OSError as error:
                if error.errno != EMSGSIZE:
                    raise
                if len(messages) > 1:  # brought again one by one: duplicates, but no loss
                    raise RefusedError("one of the messages is too long for UDP") from error
                raise RefusedError(f"{len(each)} octets are too long for UDP: use tcp") from error

    def _connected(self) -> socket.socket:
        if self._socket is not None and self._gone(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connect()
        return self._socket

    def _connect(self) -> socket.socket:
        where = (self._target.host, self._target.port)
        if self._target.transport == "udp":
            family, kind, _, _, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
            made = socket.socket(family, kind)
            made.settimeout(self._timeout)
            return _kept_private(made, address)
        plain = socket.create_connection(where, self._timeout)
        try:
            if self._tls is None:
                stay_private(plain)
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._target.host)
        except BaseException:
            plain.close()
            raise

    def _gone(self, connection: socket.socket) -> bool:
        """Whether the receiver has closed it: it never says anything otherwise."""
        if self._target.transport == "udp":
            return False
        connection.settimeout(0)
        try:
            return connection.recv(4096) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            connection.settimeout(self._timeout)

    def _acknowledged(self, connection: socket.socket) -> None:
        deadline = time.monotonic() + self._timeout
        while _unacknowledged(connection):
            if time.monotonic() > deadline:
                raise TimeoutError("it acknowledges nothing")
            time.sleep(_POLL)
        if self._gone(connection):
            raise ConnectionResetError("it closed the connection")

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()


def _kept_private(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.connect(address)
        stay_private(made)
    except BaseException:
        made.close()
        raise
    return made


def _unacknowledged(connection: socket.socket) -> int:
    """Octets that the other system has not acknowledged (SIOCOUTQ, of Linux's tcp(7))."""
    found = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int(struct.unpack("i", found)[0])


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return error.strerror or str(error) or type(error).__name__
