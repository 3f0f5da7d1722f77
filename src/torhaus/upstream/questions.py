"""What a server has asked its callers and not yet heard back."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from torhaus.mcp.message import error_object, error_text
from torhaus.model.ports import Notice
from torhaus.upstream.flow import Tap

log = structlog.get_logger()

MAX_OPEN = 1000
PATIENCE = 5.0
"""Seconds a question waits for somebody who could answer it. Servers ask for roots as soon as they
are initialized, before the client had time to open its stream."""
NOBODY = error_object(-32000, "nobody is there to answer this")
TOO_MANY = error_object(-32000, "too many open questions")


class Asked(msgspec.Struct, frozen=True):
    """Who is asked: a session (its jti), by this tap, during the call `flight` (0: none)."""

    jti: str
    tap: Tap
    flight: int


Choose = Callable[[Notice], Asked | bytes | None]
"""Who answers a request of the server, the JSON-RPC error it gets, or None: nobody yet."""


class Questions:
    __slots__ = ("_choose", "_open", "_reply", "_waiting")

    def __init__(self, choose: Choose, reply: Callable[[bytes], None]) -> None:
        self._choose = choose
        self._reply = reply
        self._open: dict[bytes, Asked] = {}
        self._waiting: dict[bytes, tuple[Notice, asyncio.TimerHandle]] = {}

    def put(self, key: bytes, notice: Notice) -> Asked | None:
        """A new question; who was asked it, if somebody was. `key`: JSON text of its id."""
        if len(self._open) + len(self._waiting) >= MAX_OPEN:
            self._reply(error_text(key, TOO_MANY))
            return None
        return self._place(key, notice)

    def _place(self, key: bytes, notice: Notice) -> Asked | None:
        who = self._choose(notice)
        if who is None:
            timer = asyncio.get_running_loop().call_later(PATIENCE, self._give_up, key)
            self._waiting[key] = (notice, timer)
            return None
        if isinstance(who, bytes):
            self._reply(error_text(key, who))
            return None
        self._open[key] = who
        who.tap.notice(notice)
        return who

    def offer(self) -> None:
        """Somebody has come who may answer what waits."""
        waiting, self._waiting = self._waiting, {}
        for key, (notice, timer) in waiting.items():
            timer.cancel()
            self._place(key, notice)

    def _give_up(self, key: bytes) -> None:
        if self._waiting.pop(key, None) is not None:
            self._reply(error_text(key, NOBODY))

    def take(self, key: bytes, jti: str) -> Asked | None:
        """The open question that this session answers; None when it was not asked that."""
        who = self._open.get(key)
        if who is None or who.jti != jti:
            return None
        return self._open.pop(key)

    def call_off(self, key: bytes) -> Asked | None:
        """The server no longer wants to know; who was asked."""
        held = self._waiting.pop(key, None)
        if held is not None:
            held[1].cancel()
        return self._open.pop(key, None)

    def close(self, flight: int) -> None:
        """A call is over: nobody answers its questions any more."""
        for key in [key for key, who in self._open.items() if who.flight == flight]:
            del self._open[key]
            self._reply(error_text(key, NOBODY))

    def clear(self) -> None:
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        self._open.clear()
