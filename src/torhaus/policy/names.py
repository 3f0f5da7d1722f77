"""Tool names: `listIssues`, `list_issues` and `list-issues` are one tool to policy."""

import re
import unicodedata

from torhaus.model.names import normal as normal

# The protocol's own alphabet and length for tool names (2025-11-25, server/tools).
_PROPER = re.compile(r"[A-Za-z0-9_./-]{1,128}")
# `getURLContents2` -> get, URL, Contents, 2
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def folded(argument: str) -> str:
    """What readers take for the same name: case, compatibility forms, NUL (CVE-2026-27896)."""
    if argument.isascii():
        return argument.lower().replace("\0", "")
    return unicodedata.normalize("NFKC", argument).casefold().replace("\0", "")


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
