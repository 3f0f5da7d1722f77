"""Audit records that go to the disk together, and those who wait for them."""

import asyncio

from torhaus.model.ports import LedgerError


class Batch:
    """Lines: first those nobody waits for, then those that are awaited.

    `lines`: whole lines; `records`: how many; `waiters`: one for each line from `awaited` (an
    offset in `lines`) on.
    """

    __slots__ = ("awaited", "lines", "records", "waiters")

    def __init__(self, lines: bytearray | None = None) -> None:
        self.lines = bytearray() if lines is None else lines
        self.records = self.lines.count(b"\n")
        self.waiters: list[asyncio.Future[None]] = []
        self.awaited = 0

    def wait(self, waiter: asyncio.Future[None]) -> None:
        """The line that comes next, and every later one, is awaited."""
        if not self.waiters:
            self.awaited = len(self.lines)
        self.waiters.append(waiter)

    def not_awaited(self) -> bytearray:
        return self.lines[: self.awaited] if self.waiters else self.lines

    def written(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():  # done: its caller hung up
                waiter.set_result(None)

    def failed(self, why: str) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(LedgerError(why))
                waiter.exception()  # some callers hung up: asyncio need not report those one by one
