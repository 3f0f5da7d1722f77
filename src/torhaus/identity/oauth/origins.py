"""Under which origin a request reached us: everything OAuth says is built from it."""

import re
from typing import Literal

import msgspec

_LOCAL = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """`public_url`: where people reach the gateway; None while only this machine is known.

    `port`: the one we listen on.
    """

    public_url: str | None = None
    port: int = 8080

    def of(self, host: str) -> str:
        """The origin for a request with this `Host` header, without a trailing slash.

        The header is believed only where nobody has said what we are called, and then only as far
        as it names this machine: with every name of it, the resource is the URL the user typed.
        """
        if self.public_url is not None:
            return self.public_url
        name = host.strip().lower()
        if _LOCAL.fullmatch(name) is not None:
            return f"http://{name}"
        return f"http://127.0.0.1:{self.port}"

    def named(self, host: str) -> str:
        """The server before our own host name (`github.gw.example`); empty where there is none."""
        if self.public_url is None:
            return ""
        ours = self.public_url.partition("://")[2]
        label, _, rest = host.strip().lower().partition(".")
        return label if rest == ours else ""


def secure(origin: str) -> bool:
    """Whether cookies of this origin can be `Secure`."""
    return origin.startswith("https:")


def cookie_name(origin: str, name: Literal["torhaus", "torhaus-consent"]) -> str:
    """With the prefix that no other host can set; browsers refuse it without TLS."""
    return f"__Host-{name}" if secure(origin) else name
