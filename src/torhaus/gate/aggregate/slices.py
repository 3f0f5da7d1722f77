"""Long work in slices on the event loop, between which everybody else has a turn.

In a thread it would keep the interpreter's lock for 5 ms at a time, each time the loop wants it.
"""

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import Any, TypeVar

SLICE = 0.001
"""Seconds of work in one turn of the loop."""

Made = TypeVar("Made")
Steps = Generator[None, None, Made]
"""Work that yields after each short step, and returns what it has made."""


def whole(steps: Steps[Made]) -> Made:
    """All of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            made: Made = done.value
            return made


class Slices:
    """Owned by one event loop. However much is to do, one slice of it has one turn of the loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def run(self, steps: Steps[Made]) -> Made:
        """Short work is done at once."""
        try:
            while True:
                async with self._turn:
                    _slice(steps)
                    await asyncio.sleep(0)
        except _DoneError as done:
            made: Made = done.made
            return made


class _DoneError(Exception):
    """It has returned `made`."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made


def _slice(steps: Steps[Any]) -> None:
    """Raises _DoneError."""
    end = perf_counter() + SLICE
    try:
        while perf_counter() < end:
            next(steps)
    except StopIteration as done:
        raise _DoneError(done.value) from None
