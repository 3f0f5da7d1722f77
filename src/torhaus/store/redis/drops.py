"""Telling the other gateways what to forget, and hearing that they have."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from torhaus.model.caching import Selector
from torhaus.store.memory import MemoryCache
from torhaus.store.redis.dial import asked
from torhaus.store.redis.fleet import Fleet
from torhaus.store.redis.presence import LEASE, Presence
from torhaus.store.redis.scripts import ANNOUNCE
from torhaus.store.redis.wire import Wire

log = structlog.get_logger()

_encode = msgspec.json.encode


class Drop(msgspec.Struct, frozen=True, array_like=True):
    """One message: whose it is, its number there, and what to forget."""

    gateway: str
    number: int
    selector: Selector


_decode = msgspec.json.Decoder(Drop).decode


@dataclass(slots=True)
class _Hearing:
    """Who has forgotten, and whom we wait for once that is known."""

    done: asyncio.Future[None]
    heard: set[str] = field(default_factory=set)
    wanted: set[str] | None = None

    def settle(self) -> None:
        if self.wanted is not None and self.wanted <= self.heard and not self.done.done():
            self.done.set_result(None)


class Drops:
    """Messages over the connection that commands go over too, so that they keep their order."""

    def __init__(self, namespace: str, presence: Presence, near: MemoryCache) -> None:
        self._presence = presence
        self._near = near
        self._channel = f"{namespace}:drops"
        self._answers = f"{namespace}:dropped:"
        self._numbers = itertools.count(1)
        self._hearing: dict[int, _Hearing] = {}
        self._loop = asyncio.get_running_loop()
        self._lost_at: float | None = None
        self.fleet: Fleet | None = None

    async def subscribe(self, wire: Wire) -> None:
        """Raises Unreachable."""
        self._lost_at = None
        await asked(wire, "SUBSCRIBE", self._channel)
        await asked(wire, "SUBSCRIBE", self._answers + self._presence.name)

    def lost(self) -> None:
        self._lost_at = self._loop.time()

    async def announce(self, selector: Selector) -> None:
        """Returns once no other gateway can answer with what is meant. Raises Unreachable."""
        assert self.fleet is not None  # noqa: S101 -- set before there is a connection
        number = next(self._numbers)
        hearing = self._hearing[number] = _Hearing(self._loop.create_future())
        me = self._presence.name
        try:
            message = _encode(Drop(me, number, selector))
            keys = (self._presence.key,)
            living = await self.fleet.run(ANNOUNCE, keys, (me, self._channel, message))
            hearing.wanted = {name.decode() for name in living}
            hearing.settle()
            if not hearing.done.done():
                await self._bounded(hearing.done, LEASE)
        finally:
            del self._hearing[number]

    async def outlive(self) -> None:
        """Wait until the leases of all others have ended, if they cannot renew them either."""
        if not self._presence.others:
            return
        since = self._loop.time() if self._lost_at is None else self._lost_at
        seconds = since + LEASE - self._loop.time()
        if seconds > 0.0:
            await self._bounded(self._loop.create_future(), seconds)

    def pushed(self, message: list[Any]) -> None:
        if message[0] != b"message":
            return
        channel, text = message[1].decode(), message[2]
        if channel == self._channel:
            self._forget(text)
        else:
            number, _, name = text.decode().partition(" ")
            hearing = self._hearing.get(int(number)) if number.isdecimal() else None
            if hearing is not None:
                hearing.heard.add(name)
                hearing.settle()

    def _forget(self, text: bytes) -> None:
        try:
            drop = _decode(text)
        except msgspec.MsgspecError:
            log.warning("redis.drop.unreadable")
            self._near.clear()
            return
        me = self._presence.name
        if drop.gateway == me or self.fleet is None:
            return
        self._near.purge_near(drop.selector)
        self.fleet.tell_home("PUBLISH", self._answers + drop.gateway, f"{drop.number} {me}")

    async def _bounded(self, done: asyncio.Future[None], seconds: float) -> None:
        """Wait for it or so long, without a task: calls run in none."""
        timer = self._loop.call_later(seconds, _finish, done)
        try:
            await done
        finally:
            timer.cancel()


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
