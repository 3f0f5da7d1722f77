"""Whether a server behind a pipe keeps sessions: configured, or found out and kept for a day."""

import asyncio

from torhaus.upstream.facts import LIFETIME


class Eras:
    """`wanted`: `auto`, `legacy` or `modern`.

    That it keeps sessions shows each time a pipe is opened. That it keeps none is believed for
    `lifetime` seconds: after that the next caller asks for a session again (checklist U3).
    """

    def __init__(self, wanted: str, lifetime: float = LIFETIME) -> None:
        self._wanted = wanted
        self._lifetime = lifetime
        self._loop = asyncio.get_running_loop()
        self._until = 0.0
        self._asked = False

    @property
    def unknown(self) -> bool:
        return self._wanted == "auto" and not self._asked

    @property
    def may_be_stateless(self) -> bool:
        return self._wanted != "legacy"

    def stateless(self) -> bool:
        """Whether it is spoken to without sessions now."""
        if self._wanted == "modern":
            return True
        if self._until and self._loop.time() >= self._until:
            self._until, self._asked = 0.0, False
        return self._until > 0.0

    def known(self) -> None:
        """It has opened a session."""
        self._asked = True

    def found_stateless(self) -> None:
        self._asked, self._until = True, self._loop.time() + self._lifetime
