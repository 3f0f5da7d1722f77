"""Is a tool still the one that was accepted? Definitions, their differences, what follows."""

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any

import msgspec

from torhaus.model.pins import Definition, Drift, Pin, Standing
from torhaus.model.verdict import Deny
from torhaus.policy.hidden import revealed
from torhaus.policy.names import shown

RULE = "catalogue"
UNKNOWN = "unknown_tool"
FIRST_USE = "first use"
BY_DRIFT = "drift: accept"

# `_meta` and icons may differ from answer to answer, and no model reads them; `execution` stands
# in answers of one protocol version and not of the next (tasks became an extension).
LEFT_OUT = frozenset(("_meta", "icons", "execution"))
MAX_LINES = 400
MAX_NAME = 128
MAX_LINE = 500
_PLAIN = re.compile(r"[\w$-]+", re.ASCII)

_decode = msgspec.json.decode
_encode = msgspec.json.encode


def definition(tool: Mapping[str, Any]) -> Definition:
    """What is pinned of a tool: all that may be read, but LEFT_OUT.

    The order of keys and the spelling of the JSON do not count; every value does.
    """
    kept = {key: value for key, value in tool.items() if key not in LEFT_OUT}
    text = _encode(kept, order="deterministic")
    return Definition(hashlib.sha256(text).hexdigest(), text)


# -- what follows from a look at the server's list -------------------------------------------------


def begun(server: str, name: str, found: Definition, now: float) -> Pin:
    """A tool of the first list a server ever gave: trusted on first use."""
    return Pin(
        server=server,
        name=name,
        first_seen=now,
        accepted=found,
        accepted_by=FIRST_USE,
        accepted_at=now,
    )


def looked(
    pin: Pin | None, server: str, name: str, found: Definition, drift: Drift, now: float
) -> Pin:
    """The pin after the server listed the tool like this; the very same one if nothing is new.

    `drift`: what the server's settings say of new tools where `pin` is None, else of changed ones.
    """
    if pin is None:
        pin = Pin(server=server, name=name, first_seen=now)
    if pin.gone is not None:
        pin = msgspec.structs.replace(pin, gone=None)
    if pin.accepted is not None and pin.accepted.digest == found.digest:
        if pin.offered is None:
            return pin
        return msgspec.structs.replace(pin, offered=None, since=None)
    if drift is Drift.ACCEPT and pin.rejected != found.digest:
        return accepted(pin, found, BY_DRIFT, now)
    if pin.offered is not None and pin.offered.digest == found.digest:
        return pin
    return msgspec.structs.replace(pin, offered=found, since=now)


def missed(pin: Pin, now: float) -> Pin:
    """The pin after the server listed its tools without this one."""
    return pin if pin.gone is not None else msgspec.structs.replace(pin, gone=now)


def accepted(pin: Pin, found: Definition, by: str, now: float) -> Pin:
    return msgspec.structs.replace(
        pin,
        accepted=found,
        accepted_by=by,
        accepted_at=now,
        offered=None,
        since=None,
        rejected=None if pin.rejected == found.digest else pin.rejected,
    )


def rejected(pin: Pin) -> Pin:
    return msgspec.structs.replace(
        pin, rejected=None if pin.offered is None else pin.offered.digest
    )


def settled(pin: Pin, decided: Pin) -> Pin:
    """What this process has seen of a tool, with what was decided about it, here or elsewhere."""
    newer = (decided.accepted_at or 0.0) >= (pin.accepted_at or 0.0)
    by = decided if newer else pin
    offered = pin.offered
    if offered is not None and by.accepted is not None and offered.digest == by.accepted.digest:
        offered = None
    return msgspec.structs.replace(
        pin,
        accepted=by.accepted,
        accepted_by=by.accepted_by,
        accepted_at=by.accepted_at,
        rejected=decided.rejected,
        offered=offered,
        since=None if offered is None else pin.since,
    )


def is_news(pin: Pin) -> bool:
    """Whether people must hear of it, which they do once for each definition."""
    return pin.offered is not None and pin.offered.digest not in (pin.told, pin.rejected)


def told(pin: Pin) -> Pin:
    return msgspec.structs.replace(pin, told=None if pin.offered is None else pin.offered.digest)


# -- what follows for calls ------------------------------------------------------------------------


def unknown(tool: str) -> Deny:
    return Deny(RULE, UNKNOWN, f"Unknown tool: {tool}")


def refusal(pin: Pin, new: Drift, changed: Drift) -> Deny | None:
    """Why a listed tool must not be called, or None. `new`, `changed`: the server's settings."""
    standing = pin.standing
    if standing is Standing.ACCEPTED:
        return None
    if standing is Standing.REJECTED:
        return Deny(
            RULE,
            "tool_rejected",
            f"An administrator has rejected what {pin.server} now says {shown(pin.name)} is.",
        )
    if standing is Standing.CHANGED and changed is Drift.QUARANTINE:
        return Deny(
            RULE,
            "tool_changed",
            f"{pin.server} has changed the definition of {shown(pin.name)} since it was accepted. "
            f"Nobody can call it until an administrator has looked at the difference: "
            f"`torhaus tools diff {typed(pin)}`, then `torhaus tools accept {typed(pin)}`.",
        )
    if standing is Standing.NEW and new is Drift.QUARANTINE:
        return Deny(
            RULE,
            "tool_new",
            f"{shown(pin.name)} is new on {pin.server}. Nobody can call it until an administrator "
            f"accepts it: `torhaus tools accept {typed(pin)}`.",
        )
    return None


def typed(pin: Pin) -> str:
    """Server and tool as somebody can type them; names are the server's choice."""
    return f"{pin.server} {shlex.quote(pin.name[:MAX_NAME])}"


# -- differences, for people -----------------------------------------------------------------------


def differences(old: Definition | None, new: Definition | None) -> tuple[str, ...]:
    """What differs, line by line, as `diff -u` would say it; none where nothing does.

    Hidden characters are shown as `<U+200B>`. None: no definition at all.
    """
    before, after = _leaves(old), _leaves(new)
    lines: list[str] = []
    for path in [*before, *(each for each in after if each not in before)]:
        if before.get(path) != after.get(path):
            lines += _change(path, before.get(path), after.get(path))
        if len(lines) > MAX_LINES:
            return (*lines[:MAX_LINES], "… and more")
    return tuple(lines)


def _change(path: str, old: str | None, new: str | None) -> Iterator[str]:
    yield f"@@ {_line(path)} @@"
    was, now = ([] if each is None else each.split("\n") for each in (old, new))
    for line in list(unified_diff(was, now, lineterm="", n=1))[2:]:
        if not line.startswith("@@"):
            yield line[0] + _line(line[1:])


def _line(text: str) -> str:
    """One line fit for a terminal and a page."""
    clean = "".join(
        c if c.isprintable() else f"<U+{ord(c):04X}>" for c in revealed(text[:MAX_LINE])
    )
    return clean if len(text) <= MAX_LINE else clean + "…"


def _leaves(found: Definition | None) -> dict[str, str]:
    """Path -> value of everything in a definition that is no object and no list of objects."""
    return {} if found is None else dict(_walk(_decode(found.text), ""))


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            name = key if _PLAIN.fullmatch(key) else _encode(key).decode()
            yield from _walk(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for at, each in enumerate(value):
            yield from _walk(each, f"{path}[{at}]")
    elif isinstance(value, str):
        yield path, f'"{value}"'  # with its line breaks: people read it as text
    else:
        yield path, _encode(value).decode()
