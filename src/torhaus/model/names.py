"""How names are compared, and the one that is ours."""

from functools import lru_cache

HOUSE = "torhaus"
"""The gateway itself, where a permission or a record names a server."""

_SHORT = 128
"""Characters of a name that is remembered: it is the longest that the protocol knows."""


def normal(tool: str) -> str:
    """The name a tool is looked up by; what is forwarded upstream is never changed.

    Other alphabets stay as they are: lower-casing folds the Kelvin sign to an ASCII k.
    """
    return _short(tool) if len(tool) <= _SHORT else _normal(tool)


@lru_cache(maxsize=4096)
def _short(tool: str) -> str:
    return _normal(tool)


def _normal(tool: str) -> str:
    return tool.lower().replace("_", "").replace("-", "") if tool.isascii() else tool
