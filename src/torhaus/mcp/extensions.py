"""Extensions of the protocol: which are passed on where the gateway stands between.

At a server's own address, to a client of its era, all of them pass as they are: nothing in between
has to understand them. Elsewhere only those do that are known to be relayed as they must be.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.mcp.versions import CAPABILITIES_KEY

PREFIX = "io.modelcontextprotocol/"
TASKS = PREFIX + "tasks"
APPS = PREFIX + "ui"


class Relayed(msgspec.Struct, frozen=True):
    """Where else an extension passes: between the eras; where many servers are one, by era."""

    across: bool = False
    many_modern: bool = False
    many_legacy: bool = False


EXTENSIONS: Mapping[str, Relayed] = {
    TASKS: Relayed(many_modern=True),
    APPS: Relayed(across=True, many_modern=True, many_legacy=True),
}
"""Those that pass further than from one server to a client of its era; all others do not."""


def across(capabilities: object) -> dict[str, Any]:
    """What one side can do, as the other side may know it that speaks another era."""
    return _kept(capabilities, lambda relayed: relayed.across)


def in_front_of_many(capabilities: object, *, legacy: bool) -> dict[str, Any]:
    """What a client of many servers can do, as one of them may know it."""
    if legacy:
        return _kept(capabilities, lambda relayed: relayed.many_legacy)
    return _kept(capabilities, lambda relayed: relayed.many_modern)


def declared(params: Mapping[str, Any], extension: str) -> bool:
    """Whether a modern request says that its client knows the extension."""
    meta = params.get("_meta")
    able = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
    extensions = able.get("extensions") if isinstance(able, dict) else None
    return isinstance(extensions, dict) and extension in extensions


def _kept(capabilities: object, passes: Callable[[Relayed], bool]) -> dict[str, Any]:
    """Without tasks of the older kind, which are no extension, and without what does not pass."""
    if not isinstance(capabilities, dict):
        return {}
    kept = {k: v for k, v in capabilities.items() if k not in ("tasks", "extensions")}
    found = capabilities.get("extensions")
    if isinstance(found, dict):
        passed = {k: v for k, v in found.items() if passes(EXTENSIONS.get(k) or Relayed())}
        if passed:
            kept["extensions"] = passed
    return kept
