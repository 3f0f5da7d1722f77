"""Names of what is called, for what is counted and kept: none that callers can invent.

A client that puts a token where the tool's name belongs must not find it in a metric or a table.
"""

from collections.abc import Callable, Container

from torhaus.model.call import Call
from torhaus.model.methods import METHODS
from torhaus.policy.names import normal

OTHER = "other"
MAX_NAMES = 500
"""Different names of one server at most; further ones are `other`."""

Known = Callable[[str], Container[str]]
"""A server's name -> the tools it is known to offer. Must not raise."""

_MAX_LENGTH = 128
_MAX_SPELLINGS = 3


class Labels:
    """Those of one server. Written by the loop's thread alone."""

    __slots__ = ("_names", "_spellings")

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._spellings: dict[str, int] = {}

    def of(self, call: Call, known: Known) -> str:
        """The operation where it is a name that callers cannot invent, else `other`."""
        name = call.operation
        if name in self._names:
            return name
        if len(self._names) >= MAX_NAMES or not self._acceptable(call, known):
            return OTHER
        self._names.add(name)
        return name

    def _acceptable(self, call: Call, known: Known) -> bool:
        name = call.operation
        if call.method != "tools/call":
            return name in METHODS
        if len(name) > _MAX_LENGTH:
            return False
        if call.hints or name in known(call.server.name):
            return True  # in the server's own list, spelled like this
        plain = normal(name)
        spellings = self._spellings.get(plain, 0)
        if plain not in call.server.classes or spellings >= _MAX_SPELLINGS:
            return False
        self._spellings[plain] = spellings + 1
        return True
