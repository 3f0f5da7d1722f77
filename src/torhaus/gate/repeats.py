"""Calls that the cache has answered before, recognised by the bytes of their requests."""

from collections.abc import Mapping

import msgspec

from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import Listed
from torhaus.gate.sight import Scope, Sight
from torhaus.model.call import Call
from torhaus.model.people import Phase
from torhaus.model.record import Record
from torhaus.model.verdict import Allow, Verdict

MOST = 4096
MOST_BYTES = 8 * 1024 * 1024
"""Of each of the two generations."""
OVERHEAD = 2048
"""Bytes of one remembered call beside what its request is long, about."""


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it was the last time: what of it is the same each time.

    `asking` knows neither the session nor the connection of that time. `listed` and `phase`: by
    what it was judged; `key`, `tag`: under which its answer is kept; `trace`: which its body names.
    """

    asking: Asking
    call: Call
    listed: Listed
    verdict: Allow
    phase: Phase
    key: bytes
    tag: str
    trace: str
    record: Record

    def judged(self, listed: Listed, verdict: Verdict, phase: Phase) -> bool:
        """Whether it was judged by the same, and as now."""
        same = self.listed is listed and self.phase is phase
        return same and (self.verdict is verdict or self.verdict == verdict)


class Repeats:
    """Owned by one event loop. Two generations: what is not met again in one goes with it.

    A call is remembered the second time it is met: most never come again.
    """

    __slots__ = ("_bytes", "_most", "_old", "_young")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._young: dict[tuple[Scope, bytes], Repeat | None] = {}
        self._old: Mapping[tuple[Scope, bytes], Repeat | None] = {}
        self._bytes = 0

    def find(self, scope: Scope, frame: bytes) -> Repeat | None:
        key = (scope, frame)
        known = self._young.get(key)
        if known is None:
            known = self._old.get(key)
            if known is not None:
                self._put(key, known)
        return known

    def met(self, sight: Sight) -> bool:
        """Whether it was met before; from now on it was."""
        key = (sight.scope, sight.frame)
        if key in self._young or key in self._old:
            return True
        self._put(key, None)
        return False

    def learn(self, sight: Sight, repeat: Repeat) -> None:
        self._put((sight.scope, sight.frame), repeat)

    def clear(self) -> None:
        self._young, self._old, self._bytes = {}, {}, 0

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def _put(self, key: tuple[Scope, bytes], repeat: Repeat | None) -> None:
        if self._most == 0:
            return
        self._bytes += OVERHEAD + 3 * len(key[1]) if repeat is not None else 200 + len(key[1])
        if len(self._young) >= self._most or self._bytes > MOST_BYTES:
            self._old, self._young, self._bytes = self._young, {}, 0
        self._young[key] = repeat
