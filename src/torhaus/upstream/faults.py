"""Which failures are the server's own, so that they say something about the next call."""

from torhaus.model.ports import Detached, UpstreamError


class FaultError(UpstreamError):
    """It could not be reached, was silent, broke the protocol, or said itself that it is broken."""


class DeniedError(UpstreamError):
    """It refused the gateway's credential. `outright`: whatever is called (HTTP 401, not 403).

    `challenge`: what it said in `WWW-Authenticate`.
    """

    def __init__(self, message: str, *, outright: bool, challenge: str = "") -> None:
        super().__init__(message)
        self.outright = outright
        self.challenge = challenge


def cause(error: BaseException | None) -> FaultError | DeniedError | None:
    """What of an error counts against the server; None: it was about one call alone.

    A fault is still one when somebody has put it into other words.
    """
    while isinstance(error, UpstreamError) and not isinstance(error, Detached):
        if isinstance(error, FaultError | DeniedError):
            return error
        error = error.__cause__
    return None
