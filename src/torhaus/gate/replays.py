"""What a server has said of a request, told again: to whoever may still make that request."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.gate.sentences import sentence
from torhaus.mcp import codes
from torhaus.mcp.message import Request
from torhaus.model.call import Call
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.servers import Era, Server
from torhaus.policy.stops import halted
from torhaus.policy.visible import listed, visible

CALL = "tools/call"


class About(msgspec.Struct, frozen=True, array_like=True):
    """The request that a stream belongs to, as the ids of its events name it.

    `id`: JSON text. `name`: the tool's; empty for other methods.
    """

    id: bytes
    method: str
    name: str = ""


def about(request: Request) -> About:
    name = request.params.get("name") if request.method == CALL else None
    return About(request.id, request.method, name if isinstance(name, str) else "")


def about_call(request_id: bytes, call: Call) -> About:
    return About(request_id, call.method, call.operation if call.method == CALL else "")


def lost(
    caller: Principal, server: Server, request: About, hints: Mapping[str, Any], now: float
) -> str | None:
    """Why he is not told any more what came of a request; None while he may.

    He could make it when he did. Its arguments are not known here: what counts is whether he may
    still use the tool, with whatever arguments.
    """
    why = halted(server, request.name, now)
    if why is not None:
        return why
    access = caller.phase(now).on(server.name)
    if request.method == CALL:
        stays = visible(access, server, request.name, hints)
    else:
        stays = listed(access, server, request.method)
    what = request.name or request.method
    return None if stays else f"You may not use {what} of {server.name} any more."


def withheld(request: About, why: str) -> Answer:
    """In the place of the answer: streams are resumed in sessions only."""
    text = f"{why} What this request began may have been done."
    return sentence(request.method, Era.LEGACY, codes.REFUSED, text)
