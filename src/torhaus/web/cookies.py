"""The cookies of the pages: which names, and with which attributes. Pure.

Over https they are `__Host-`, so that no other host and no plaintext page can plant one. Browsers
refuse that prefix over http, so there the plain name is read and written, and no other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

SESSION, BROWSER, DEVICE = "torhaus", "torhaus-browser", "torhaus-device"
"""Who has signed in; before that, which browser signs in; and who has signed in with it before."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """`origin`: where people reach us, without a trailing slash; None where nobody knows."""

    origin: Callable[[], str | None]

    def read(self, scope: Mapping[str, Any], name: str) -> str | None:
        return Request({**scope, "type": "http"}).cookies.get(self._name(scope, name))

    def write(
        self, response: Response, scope: Mapping[str, Any], name: str, value: str, seconds: int
    ) -> None:
        """Lax: links from elsewhere lead in, forms from elsewhere come without it."""
        same: Literal["lax"] = "lax"
        response.set_cookie(
            self._name(scope, name),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure(scope),
            httponly=True,
            samesite=same,
        )

    def drop(self, response: Response, scope: Mapping[str, Any], name: str) -> None:
        self.write(response, scope, name, "", 0)

    def secure(self, scope: Mapping[str, Any]) -> bool:
        """Whether the browser talks https: to us, or to the proxy that has our public name."""
        if scope["scheme"] == "https":
            return True
        origin = (self.origin() or "").lower()
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if hosts else ""
        return origin.startswith("https://") and not _loopback(host)

    def _name(self, scope: Mapping[str, Any], name: str) -> str:
        return f"__Host-{name}" if self.secure(scope) else name


def _loopback(host: str) -> bool:
    name = host if host.startswith("[") else host.partition(":")[0]
    return name in ("localhost", "127.0.0.1") or name.startswith("[::1]")
