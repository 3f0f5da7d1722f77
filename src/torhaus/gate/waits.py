"""Calls that wait for somebody to agree: few for each caller, and gone when they must be."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from torhaus.mcp.message import Response, encode
from torhaus.model.session import Session

MOST = 1000
MOST_EACH = 20
"""Calls of one caller that may wait at a time; further ones are told at once to come back."""

OURS = b'"torhaus:'
"""How the ids of our own questions to clients begin, as JSON text."""

Place = tuple[str, bytes]
"""A session (its jti) and the JSON text of a request's id."""


class _Answer(msgspec.Struct):
    action: Literal["accept", "decline", "cancel"]


_read = msgspec.json.Decoder(_Answer).decode


class Wait:
    """One call that waits. `action`: what its user did with the question (`accept`, ...)."""

    __slots__ = ("_bell", "action", "approval", "place", "principal", "question")

    def __init__(self, approval: str, principal: str, place: Place | None, question: bytes) -> None:
        self.approval = approval
        self.principal = principal
        self.place = place
        self.question = question
        self.action: str | None = None
        self._bell: asyncio.Future[None] | None = None

    def ring(self, _ended: object = None) -> None:
        """Something has changed, or time has passed."""
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def rung(self, seconds: float) -> None:
        """Wait for the bell, at most so long. For drives too: they have no task to time out."""
        loop = asyncio.get_running_loop()
        self._bell = loop.create_future()
        timer = loop.call_later(seconds, self.ring)
        try:
            await self._bell
        finally:
            timer.cancel()
            self._bell = None


class Waits:
    """Owned by one event loop. `random(n)` returns n random bytes.

    `closing`: the gateway stops, so nobody waits any more.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._all: set[Wait] = set()
        self._each: Counter[str] = Counter()
        self.closing = False

    def __len__(self) -> int:
        return len(self._all)

    def begin(
        self, approval: str, principal: str, session: Session | None, request_id: bytes
    ) -> Wait | None:
        """None: too many wait already, or nobody may wait now."""
        if self.closing or len(self._all) >= MOST or self._each[principal] >= MOST_EACH:
            return None
        place = None if session is None else (session.jti, request_id)
        # Servers never see these ids, so no request of theirs can be answered as one of ours.
        question = encode(f"torhaus:{self._random(16).hex()}")
        wait = Wait(approval, principal, place, question)
        self._all.add(wait)
        self._each[principal] += 1
        return wait

    def end(self, wait: Wait) -> None:
        self._all.discard(wait)
        self._each[wait.principal] -= 1
        if self._each[wait.principal] <= 0:
            del self._each[wait.principal]

    def waiting(self, approval: str) -> bool:
        """Whether any call waits for it."""
        return any(each.approval == approval for each in self._all)

    def shared(self, wait: Wait) -> bool:
        """Whether another call waits for the same approval."""
        return any(each.approval == wait.approval for each in self._all if each is not wait)

    def heard(self, session: Session, question: bytes, answer: Response) -> None:
        """A client's answer to a question of ours; one that comes too late changes nothing."""
        for wait in self._all:
            if wait.question == question and wait.place is not None:
                if wait.place[0] == session.jti:
                    wait.action = _action(answer)
                    wait.ring()
                return

    def at(self, session: Session, request_id: bytes) -> Wait | None:
        """The call with this id, if it waits."""
        place = (session.jti, request_id)
        return next((each for each in self._all if each.place == place), None)

    def close(self) -> None:
        """Let nobody wait any more: whoever does is told to come back."""
        self.closing = True
        for wait in self._all:
            wait.ring()


def _action(answer: Response) -> str | None:
    """None for an error: the client could not show the question, so nobody has said anything."""
    if answer.member != "result":
        return None
    try:
        return _read(answer.payload).action
    except msgspec.MsgspecError:
        return None
