"""What a server wants to know in the middle of a call: in 2026-07-28 a result says so (MRTR)."""

from collections.abc import Container, Mapping
from typing import Any

import msgspec

from torhaus.mcp.eras import ENVELOPE
from torhaus.mcp.extensions import across

INPUT_REQUIRED = "input_required"
CANCELLED = "notifications/cancelled"

ASKS = {
    "sampling/createMessage": "sampling",
    "elicitation/create": "elicitation",
    "roots/list": "roots",
}
"""Request of a server -> the client capability that allows it."""

FORM, URL = "form", "url"


class Input(msgspec.Struct, frozen=True):
    """One question; the server's name for it is the key it is kept under."""

    method: str
    params: dict[str, Any] = {}


class Wanted(msgspec.Struct, frozen=True, rename="camel"):
    """An `input_required` result. Without questions the client just comes back with the state."""

    result_type: str
    input_requests: dict[str, Input] = {}
    request_state: str | None = None


_wanted = msgspec.json.Decoder(Wanted).decode
_kind = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
encode = msgspec.json.encode


def asks(result: bytes) -> bool:
    """Whether it is an `input_required` result. Most are told apart by one look at the bytes."""
    if b"input_required" not in result:
        return False
    loose = msgspec.json.decode(result)
    return isinstance(loose, dict) and loose.get("resultType") == INPUT_REQUIRED


def wanted(result: bytes) -> Wanted | None:
    """What it asks; None for any other result. Raises msgspec.MsgspecError, RecursionError."""
    return _wanted(result) if asks(result) else None


def required(questions: Mapping[str, Input], state: str | None) -> bytes:
    """The `input_required` result that asks this. Without a state, the retry is a new call."""
    asked = {key: {"method": each.method, "params": each.params} for key, each in questions.items()}
    found: dict[str, Any] = {"resultType": INPUT_REQUIRED, "inputRequests": asked}
    if state is not None:
        found["requestState"] = state
    return encode(found)


def again(params: bytes, answers: Mapping[str, bytes], state: str | None) -> bytes:
    """The params of the same request with the answers to its last round, and its state as it is."""
    loose = _kind(params)
    loose.pop("requestState", None)
    loose["inputResponses"] = msgspec.Raw(
        encode({key: msgspec.Raw(answer) for key, answer in answers.items()})
    )
    if not answers:
        del loose["inputResponses"]
    if state is not None:
        loose["requestState"] = msgspec.Raw(encode(state))
    return encode(loose)


def may_be_asked(capabilities: bytes) -> dict[str, Any]:
    """Of what a client declared, that by which servers of the other era may ask it something.

    Extensions besides, as far as they pass between the eras.
    """
    try:
        loose = msgspec.json.decode(capabilities or b"{}")
    except (msgspec.MsgspecError, RecursionError):
        return {}
    if not isinstance(loose, dict):
        return {}
    asks = {name: loose[name] for name in ASKS.values() if isinstance(loose.get(name), dict)}
    extensions = across(loose).get("extensions")
    return asks if extensions is None else {**asks, "extensions": extensions}


def known_to(capabilities: dict[str, Any], asks: Container[str]) -> dict[str, Any]:
    """What a client can do, as a server may know it that may ask no more than this."""
    kept = {
        name: each
        for name, each in capabilities.items()
        if name in asks or name not in ASKS.values()
    }
    return capabilities if len(kept) == len(capabilities) else kept


def lacking(question: Input, capabilities: Mapping[str, Any]) -> str | None:
    """The capability that a client would need for it and has not declared; None: it may come."""
    name = ASKS.get(question.method)
    if name is None:
        return f"the method {question.method[:64]!r}"
    declared = capabilities.get(name)
    if not isinstance(declared, dict):
        return f"`{name}`"
    if name == "elicitation":
        mode = question.params.get("mode", FORM)
        bare = mode == FORM and URL not in declared  # `{}` has always meant forms
        if not bare and not isinstance(declared.get(str(mode)), dict):
            return f"`elicitation.{str(mode)[:16]}`"
    tools = name == "sampling" and "tools" in question.params
    if tools and not isinstance(declared.get("tools"), dict):
        return "`sampling.tools`"
    return None


def without_envelope(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a question without what only one era knows."""
    meta = params.get("_meta")
    if not isinstance(meta, dict):
        return dict(params)
    kept = {key: value for key, value in meta.items() if key not in ENVELOPE}
    rest = {key: value for key, value in params.items() if key != "_meta"}
    return {**rest, "_meta": kept} if kept else rest
