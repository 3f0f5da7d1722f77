"""The question for one kept answer, written out: nearly every word of it is the same each time."""

from itertools import count
from secrets import token_bytes

from torhaus.store.redis.scripts import FIND
from torhaus.store.redis.wire import Word

KEPT = 7 * 86400 * 1000
"""Milliseconds that generations last; without them, what was kept is forgotten."""
NAMED = 20_000
"""Generations of one server, two for each tool."""

_UNIQUE, _COUNTED = 10, 6
"""Octets of a fresh name: who gave it, and its number."""


class Names:
    """Names of 16 octets that nobody has given before. Asking the system each time costs more."""

    __slots__ = ("_number", "_who")

    def __init__(self) -> None:
        self._who = token_bytes(_UNIQUE)
        self._number = count()

    def fresh(self) -> bytes:
        return self._who + next(self._number).to_bytes(_COUNTED, "big")


class Question:
    """FIND for the answers of one tool. `prefix`: of the entries' names, without their keys."""

    __slots__ = ("_after", "_before", "_between", "_prefix", "_size", "generations", "tool")

    def __init__(self, generations: bytes, prefix: bytes, tool: str) -> None:
        self.generations, self.tool = generations, tool
        self._prefix, self._size = prefix, len(prefix)
        script = FIND.digest.encode()
        # RESP: an array of so many texts, each behind its length.
        self._before = b"*9\r\n" + _texts(b"EVALSHA", script, b"2", generations) + b"$"
        self._between = _texts(tool.encode()) + b"$16\r\n"
        self._after = b"\r\n" + _texts(b"%d" % KEPT, b"%d" % NAMED)

    def packed(self, key: bytes, name: bytes) -> bytes:
        """About the entry of this key. `name`: a fresh one, for generations that are missing."""
        return b"%b%d\r\n%b%b\r\n%b%b%b" % (
            self._before,
            self._size + len(key),
            self._prefix,
            key,
            self._between,
            name,
            self._after,
        )

    def words(self, key: bytes, name: bytes) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
        """The same as keys and arguments of the script."""
        return (self.generations, self._prefix + key), (self.tool, name, KEPT, NAMED)


def _texts(*texts: bytes) -> bytes:
    return b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in texts)
