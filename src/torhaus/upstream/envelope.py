"""What a relay must find and change inside messages; everything else travels as it came."""

import re

import msgspec

from torhaus.mcp.message import encode
from torhaus.model.ports import UpstreamError

Fields = dict[str, msgspec.Raw]
_fields = msgspec.json.Decoder(Fields).decode
_id = msgspec.json.Decoder(int | str).decode
decode = msgspec.json.decode

_ID_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,')
_ID_LAST = re.compile(
    rb',\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$', re.DOTALL
)


class GarbageError(ValueError):
    """Not a JSON-RPC message."""


class Envelope(msgspec.Struct, frozen=True):
    """A message of either side; payloads stay as they came and are empty when absent."""

    jsonrpc: str = ""
    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_envelope = msgspec.json.Decoder(Envelope).decode


class _Error(msgspec.Struct):
    code: int
    message: str


class _Initialized(msgspec.Struct):
    version: str = msgspec.field(name="protocolVersion")
    capabilities: msgspec.Raw = msgspec.Raw(b"{}")
    info: msgspec.Raw = msgspec.field(name="serverInfo", default=msgspec.Raw())


class Opened(msgspec.Struct, frozen=True):
    """What a server said about itself: its whole `initialize` result, and parts of it."""

    result: bytes
    version: str
    capabilities: dict[str, object]
    info: bytes | None


def read(data: bytes) -> Envelope:
    """Raises GarbageError."""
    try:
        str(data, "utf-8")  # msgspec does not look into the strings of what it keeps raw
        return _envelope(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise GarbageError(str(error)) from error


def opened(result: bytes) -> Opened:
    """Raises GarbageError when this is not the result of an `initialize`."""
    try:
        found = msgspec.json.decode(result, type=_Initialized)
        capabilities = decode(found.capabilities)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GarbageError(str(error)) from error
    return Opened(
        result,
        found.version,
        capabilities if isinstance(capabilities, dict) else {},
        bytes(found.info) or None,
    )


def error_message(error: bytes) -> str:
    """The sentence of a JSON-RPC error. Raises UpstreamError when it is not one."""
    try:
        return msgspec.json.decode(error, type=_Error).message
    except (msgspec.MsgspecError, RecursionError) as bad:
        raise UpstreamError("it answered with an error of unknown shape") from bad


def fields(text: bytes | msgspec.Raw | None) -> Fields:
    """The members of a JSON object, their values as they came; empty for anything else."""
    if not text:
        return {}
    try:
        return _fields(text)
    except (msgspec.MsgspecError, RecursionError):
        return {}


def text_of(values: Fields, name: str) -> str | None:
    """A member that is a string."""
    found = value_of(values, name)
    return found if isinstance(found, str) else None


def value_of(values: Fields, name: str) -> object:
    """A member, decoded; None where it is absent, or no value that we have (1e999)."""
    raw = values.get(name)
    try:
        return None if raw is None else decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


def canonical(text: bytes | msgspec.Raw | None) -> bytes | None:
    """One spelling of a request id; None for what cannot be one."""
    if text is None:
        return None
    try:
        return encode(_id(text))
    except msgspec.MsgspecError:
        return None


def with_token(params: bytes, token: int) -> tuple[bytes, bytes | None]:
    """Request params that carry our progress token, and the caller's own (None: it has none)."""
    loose = fields(params) if b"_meta" in params else {}
    meta = fields(loose.get("_meta"))
    own = meta.get("progressToken")
    if own is None:
        return params, None
    meta["progressToken"] = msgspec.Raw(b"%d" % token)
    loose["_meta"] = msgspec.Raw(encode(meta))
    return encode(loose), bytes(own)


def lost_id(head: bytes, tail: bytes) -> int | None:
    """The id of an answer of which only the ends are known; SDKs write it first or last."""
    found = _ID_FIRST.match(head) or _ID_LAST.search(tail)
    return None if found is None else int(found[1])
