"""What a record holds of a call's arguments, as the rules ask for: all, some, names or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from torhaus.audit.parameters import parameters
from torhaus.model.auditing import Extent
from torhaus.model.call import Call
from torhaus.model.names import normal
from torhaus.model.servers import Server, ToolClass

MAX_SELECTOR = 256
"""Characters of an argument beyond which it says more than what a call is about."""

MAX_ITEMS = 32

_WORDS = (
    "owner repo repository org organization organization_slug project project_slug project_key "
    "project_id workspace workspace_id team team_id group namespace channel channel_id path "
    "file_path directory branch ref tag sha issue issue_number issue_id issue_key pull_number "
    "pull_request_id number database schema table collection bucket environment uri"
)
USUAL = frozenset(map(normal, _WORDS.split()))
"""Arguments that say what a call is about whatever the tool."""

_NOTHING = msgspec.Raw(b'{"_omitted":true}')
_EMPTY = msgspec.Raw(b"{}")
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def arguments(call: Call) -> msgspec.Raw:
    """One line of JSON text, without secrets, of what the rules let a record hold."""
    recorded = call.server.recorded
    if recorded.whole:
        return parameters(call.payload, recorded.most)
    extent = recorded.tools.get(normal(call.operation), recorded.default)
    if extent is Extent.FULL:
        return parameters(call.payload, recorded.most)
    if extent is Extent.NONE:
        return _NOTHING if call.payload else _EMPTY
    return parameters(_told(call, extent), recorded.most)


def _told(call: Call, extent: Extent) -> bytes:
    try:
        held = _decode(call.payload or b"{}")
    except _BROKEN:
        return bytes(_NOTHING)
    if extent is Extent.NAMES:
        return _encode({"_names": list(held)} if held else {})
    return _encode(selected(call.server, call.operation, held))


def selected(server: Server, tool: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that say what a call is about; `_omitted` counts the others."""
    known = server.classes.get(normal(tool))
    names = USUAL if known is None else USUAL | {normal(each) for each in _named(known)}
    kept = {name: value for name, value in held.items() if normal(name) in names and _plain(value)}
    if known is not None and known.dispatch is not None:
        kept |= _inner(server, known.dispatch, held)
    omitted = len(held) - len(kept)
    return {**kept, "_omitted": omitted} if omitted else kept


def _named(known: ToolClass) -> Iterable[str]:
    """The arguments that policy judges a tool's calls by."""
    for target in known.targets:
        yield from (*target.args, *target.either)
    yield from (name for name, _ in known.pinned)
    if known.method_arg is not None:
        yield known.method_arg
    if known.dispatch is not None:
        yield known.dispatch[0]


def _inner(server: Server, dispatch: tuple[str, str], held: Mapping[str, Any]) -> dict[str, Any]:
    """Of a tool that runs another one: what that one's call is about."""
    tool, below = held.get(dispatch[0]), held.get(dispatch[1])
    if not isinstance(tool, str) or not isinstance(below, dict):
        return {}
    known = server.classes.get(normal(tool))
    if known is not None and known.dispatch is not None:
        return {}  # one that runs itself could go on for ever
    return {dispatch[1]: selected(server, tool, below)}


def _plain(value: Any) -> bool:
    """A name or a number, or some of them: nothing that says more."""
    if isinstance(value, str):
        return len(value) <= MAX_SELECTOR
    if isinstance(value, list):
        return len(value) <= MAX_ITEMS and all(
            not isinstance(each, dict | list) and _plain(each) for each in value
        )
    return not isinstance(value, dict)
