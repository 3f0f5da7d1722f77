"""Requests without what is new in each of them: what comes again when the same is asked again."""

import re

from torhaus.mcp.message import CallerError, Request, encode, read

LONGEST = 4096
"""Bytes of a body that is worth recognising."""

LOOSE = ("progressToken", "claudecode/toolUseId")
"""Members of `_meta` that clients make anew for each call and nobody here reads."""

_HOLE = b"\0"  # stands in no JSON text
_FILLED = b"314159265358979"
# Integers and strings that are their own canonical text.
_SCALAR = re.compile(rb' ?((?:0|[1-9][0-9]{0,14}|"[A-Za-z0-9_.:-]{1,64}"))(?=[,}])').match
_OPENING = b'{"jsonrpc":"2.0","id":'
_OPENED = _OPENING + _HOLE
_START = len(_OPENING)
_NAME = b'"id":'
_NEAR = 60
_META = b'"_meta":'
_LOOSE = tuple(b'"%b":' % name.encode() for name in LOOSE)
_NUL, _ZERO, _LINE = b"\x000_"  # one octet is found ten times as fast as a text of one

Cut = tuple[bytes, bytes]
"""A frame, which is a body but for its id and its loose members, and the id as JSON text."""


def cut(body: bytes) -> Cut | None:
    """The body in two, where its id is found at a glance. It may be no JSON at all.

    A frame says nothing of its bodies before it is `proved` with one of them.
    """
    if len(body) > LONGEST or _NUL in body:
        return None
    first = body.startswith(_OPENING)
    start = _START if first else _place(body)
    end = body.find(b",", start)  # -1, where it comes last, leaves the brace
    id = body[start:end]
    if not id.isdigit() or id[0] == _ZERO or len(id) > 15:
        found = _SCALAR(body, start)
        if found is None:
            return None
        first = False
        start, end = found.span(1)
        id = body[start:end]
    frame = _OPENED + body[end:] if first else body[:start] + _HOLE + body[end:]
    return (_loosened(frame) if _LINE in body and _META in body else frame), id


def _place(body: bytes) -> int:
    """Where the value of `id` begins, in most bodies: near the end, or else early."""
    at = body.rfind(_NAME)
    return (at if at > len(body) - _NEAR else body.find(_NAME)) + len(_NAME)


def _loosened(frame: bytes) -> bytes:
    for name in _LOOSE:
        at = frame.find(name)
        found = _SCALAR(frame, at + len(name)) if at > 0 else None
        if found is not None:
            frame = frame[: found.start(1)] + _HOLE + frame[found.end() :]
    return frame


def proved(frame: bytes, request: Request) -> bool:
    """Whether every body of this frame is this request but for its id and the loose members.

    `request`: as it was read from one such body. The frame is filled with a number that stands
    nowhere in it and read again: if nothing else changes, the holes are those values and no part
    of another, and any other scalar in their place makes the same JSON but for them.
    """
    if _FILLED in request.payload or _FILLED in frame or request.id == _FILLED:
        return False
    try:
        again = read(frame.replace(_HOLE, _FILLED))
    except CallerError:
        return False
    return (
        isinstance(again, Request)
        and again.id == _FILLED
        and again.method == request.method
        and _firm(again) == _firm(request)
    )


def _firm(request: Request) -> bytes:
    """The parameters without the loose members, as text: `1` is not `1.0`, nor `true`."""
    params = request.params
    meta = params.get("_meta")
    if isinstance(meta, dict):
        firm = {name: value for name, value in meta.items() if name not in LOOSE}
        params = {**params, "_meta": firm}
    return encode(params)
