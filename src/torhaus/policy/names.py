"""Tool names: `listIssues`, `list_issues` and `list-issues` are one tool to policy."""

import re
import unicodedata
from functools import lru_cache

from torhaus.model.names import normal as normal

# The protocol's own alphabet and length for tool names (2025-11-25, server/tools).
_PROPER = re.compile(r"[A-Za-z0-9_./-]{1,128}")
# `getURLContents2` -> get, URL, Contents, 2
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


LONGEST = 256
"""Characters of a name that compatibility forms are looked for in; at most four become one."""
_SHORT = 64
"""Characters of a name that is remembered: those of arguments come again and again."""
MOST_MARKS = 30
"""Combining marks in a row (UAX #15, stream-safe text): sorting them takes quadratic time."""


def folded(argument: str) -> str:
    """What readers take for the same name: case, compatibility forms, NUL (CVE-2026-27896)."""
    return _short(argument) if len(argument) <= _SHORT else _folded(argument)


@lru_cache(maxsize=4096)
def _short(argument: str) -> str:
    return _folded(argument)


def _folded(argument: str) -> str:
    plain = argument.replace("\0", "")
    if plain.isascii():
        return plain.lower()
    if len(plain) > LONGEST or crowded(plain):
        return plain.casefold()  # no name that anybody asks for has a form like this
    return unicodedata.normalize("NFKC", plain).casefold()


def crowded(text: str) -> bool:
    """Whether so many marks stand in a row that the text must not be normalized."""
    row = 0
    for each in text:
        row = row + 1 if unicodedata.combining(each) else 0
        if row > MOST_MARKS:
            return True
    return False


def words(tool: str) -> tuple[str, ...]:
    """The words of a name in lower case; none when it is not a proper tool name."""
    if _PROPER.fullmatch(tool) is None:
        return ()
    return tuple(word.lower() for word in _WORD.findall(tool))


def shown(name: str) -> str:
    """A name from outside, fit for a sentence: short and printable."""
    if len(name) <= 80 and name.isprintable() and "`" not in name:
        return f"`{name}`"
    clean = "".join(c if c.isprintable() and c != "`" else "?" for c in name[:81])
    return f"`{clean}`" if len(clean) <= 80 else f"`{clean[:80]}…`"
