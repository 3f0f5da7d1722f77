"""What a server's session must know again after it was opened anew: log levels, subscriptions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from torhaus.mcp.hearing import LEVELS, reaches

MAX_SESSIONS = 1024
MAX_URIS = 1000


@dataclass(slots=True)
class _Wishes:
    level: str | None = None
    uris: set[str] = field(default_factory=set)


class Memory:
    """Per front session (its jti). The oldest is forgotten when there are too many."""

    __slots__ = ("_wishes",)

    def __init__(self) -> None:
        self._wishes: dict[str, _Wishes] = {}

    def __bool__(self) -> bool:
        return bool(self._wishes)

    def of(self, jti: str) -> _Wishes:
        wishes = self._wishes.get(jti)
        if wishes is None:
            while len(self._wishes) >= MAX_SESSIONS:
                del self._wishes[next(iter(self._wishes))]
            wishes = self._wishes[jti] = _Wishes()
        return wishes

    def known(self, jti: str) -> _Wishes | None:
        """What this session wished, without making room for it."""
        return self._wishes.get(jti)

    def forget(self, jti: str) -> None:
        self._wishes.pop(jti, None)

    def level(self) -> str | None:
        """The lowest level anybody wants: it is all one server's."""
        wanted = [w.level for w in self._wishes.values() if w.level is not None]
        return min(wanted, key=LEVELS.index) if wanted else None

    def wants_level(self, jti: str, level: str | None) -> bool:
        """Whether a log message of this level is for that session."""
        wishes = self._wishes.get(jti)
        return wishes is None or reaches(level, wishes.level)

    def uris(self) -> set[str]:
        return set().union(*(w.uris for w in self._wishes.values()))

    def subscribed(self, uri: str, except_for: str) -> bool:
        return any(uri in w.uris for jti, w in self._wishes.items() if jti != except_for)

    def subscribers(self, uri: str, among: Iterable[str]) -> Iterator[str]:
        """Who subscribed to this resource, or to one that it is a part of."""
        for jti in among:
            wishes = self._wishes.get(jti)
            if wishes is not None and any(uri.startswith(each) for each in wishes.uris):
                yield jti
