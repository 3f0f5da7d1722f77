"""One bidirectional connection to a legacy server, whatever carries it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from torhaus.upstream.faults import FaultError

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message from a server."""


class NotSentError(FaultError):
    """The server has certainly not processed the message, so it may be sent again."""


class Ears(Protocol):
    """Who hears what a pipe brings. Called from the event loop; must not block or raise."""

    def message(self, data: bytes) -> None:
        """One message as it came: nothing is known about it but its end."""

    def oversized(self, head: bytes, tail: bytes) -> None:
        """A message was larger than the limit and is lost; these are its first and last bytes."""

    def ended(self, reason: str) -> None:
        """The pipe is over, once; `reason` continues a sentence that begins with `it`."""


class Pipe(Protocol):
    async def send(self, message: bytes) -> None:
        """Send one message as JSON text. Raises UpstreamError, NotSentError where that is sure."""

    def pause(self) -> None:
        """Stop reading until `resume`, so that the server feels it."""

    def resume(self) -> None: ...

    async def close(self) -> None:
        """End it and wait until nothing is left of it. Never raises, may be called twice."""


Opener = Callable[[Ears], Awaitable[Pipe]]
"""Opens a pipe that reports to these ears. Raises UpstreamError."""
