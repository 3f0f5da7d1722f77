"""JSON-RPC messages from clients, read strictly, and the bytes that travel on (JSON-RPC 2.0)."""

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any, final

import msgspec

from torhaus.mcp.codes import INVALID_REQUEST, PARSE_ERROR
from torhaus.mcp.methods import DECISIVE

MAX_DEPTH = 128
MAX_METHOD = 256
MAX_ID = 1024

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_KEY = re.compile(rb'"(?:[^"\\]|\\.)*+"([ \t\r\n]*+:)?+', re.DOTALL)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class CallerError(Exception):
    """The caller sent something we cannot go on from.

    `status`: HTTP status. `code`: JSON-RPC code. `id`: JSON text of the request id, where it
    could be read. `data`: JSON text of the error's `data`, if any.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int = 400,
        id: bytes | None = None,
        data: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.id = id
        self.data = data


@final
class Request(msgspec.Struct, frozen=True, gc=False):
    """A request. `id` and `payload` (params; empty when absent) are JSON text."""

    id: bytes
    method: str
    params: dict[str, Any]
    payload: bytes


class Notification(msgspec.Struct, frozen=True, gc=False):
    method: str
    params: dict[str, Any]
    payload: bytes


class Response(msgspec.Struct, frozen=True, gc=False):
    """An answer to a server's request. `id` is decoded; `member` is `result` or `error`."""

    id: str | int
    member: str
    payload: bytes


Message = Request | Notification | Response


# Below, `type(...) is`: the decoder makes no subclasses, and it costs a third of `isinstance`.


def read(body: bytes) -> Message:
    """The one message in a POST body.

    Refused: anything that is not one JSON-RPC 2.0 object, batches, duplicate keys at any level,
    and nesting deeper than MAX_DEPTH. Two readers of the same bytes must not see two different
    calls, so what travels on is always written again from this reading.
    Raises CallerError with status 400.
    """
    loose = _strict(body)
    request_id = loose.get("id")
    if "method" not in loose:
        return _response(loose)
    method = loose["method"]
    id_text: bytes | None = None
    if "id" in loose:
        if type(request_id) is not int and type(request_id) is not str:
            raise CallerError(INVALID_REQUEST, "the request id must be a string or an integer")
        id_text = encode(request_id)
        if len(id_text) > MAX_ID:
            raise CallerError(INVALID_REQUEST, f"the request id is longer than {MAX_ID} bytes")
    if type(method) is not str or not 0 < len(method) <= MAX_METHOD:
        raise CallerError(INVALID_REQUEST, "`method` must be a non-empty string", id=id_text)
    if "result" in loose or "error" in loose:
        raise CallerError(INVALID_REQUEST, "a message is a request or a response", id=id_text)
    params = loose.get("params")
    if "params" not in loose:
        params, payload = {}, b""
    elif type(params) is dict:
        payload = encode(params)
    else:
        raise CallerError(INVALID_REQUEST, "`params` must be an object", id=id_text)
    if id_text is None:
        return Notification(method, params, payload)
    return Request(id_text, method, params, payload)


def _response(loose: dict[str, Any]) -> Response:
    response_id = loose.get("id")
    if type(response_id) is not str and type(response_id) is not int:
        raise CallerError(INVALID_REQUEST, "neither a request (`method`) nor a response with an id")
    members = [name for name in ("result", "error") if name in loose]
    if len(members) != 1:
        raise CallerError(INVALID_REQUEST, "a response has either `result` or `error`")
    value = loose[members[0]]
    if not isinstance(value, dict):
        raise CallerError(INVALID_REQUEST, f"`{members[0]}` must be an object")
    return Response(response_id, members[0], encode(value))


def _strict(body: bytes) -> dict[str, Any]:
    try:
        if len(body) > MAX_DEPTH and body.count(b"[") + body.count(b"{") > MAX_DEPTH:
            _check_depth(body)
        loose = _decode(body)
    except msgspec.MsgspecError as error:
        raise CallerError(PARSE_ERROR, f"the body is not valid JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise CallerError(PARSE_ERROR, "the body is not UTF-8") from error
    except RecursionError as error:
        raise CallerError(PARSE_ERROR, _TOO_DEEP) from error
    if type(loose) is not dict:
        raise CallerError(INVALID_REQUEST, _BATCH if isinstance(loose, list) else _NO_OBJECT)
    # A compact body without duplicates comes out of the encoder byte for byte (most clients send
    # exactly that), so the comparison is the cheap proof; only other spellings are counted.
    again = encode(loose)
    if again != body and _keys(body) != _keys(again):
        raise CallerError(INVALID_REQUEST, "an object in the body has the same key twice")
    if loose.get("jsonrpc") != "2.0":
        raise CallerError(INVALID_REQUEST, '`jsonrpc` must be "2.0"')
    return loose


_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(each for each in range(256) if each not in _STEPS)
_BATCH = "batches are not supported: send one message per POST"
_NO_OBJECT = "the body must be one JSON-RPC object"
_TOO_DEEP = f"the body is nested deeper than {MAX_DEPTH} levels"


def _check_depth(body: bytes) -> None:
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise CallerError(PARSE_ERROR, _TOO_DEEP)


def _keys(text: bytes) -> int:
    """How many object keys a JSON text has, duplicates counted."""
    colons = _KEY.findall(text)
    return len(colons) - colons.count(b"")


def twins(value: object) -> str | None:
    """A key that stands twice in one object when case is ignored, or None. `value`: as decoded.

    Some servers read JSON without regard to case (Go's encoding/json), so `repo` and `Repo` in
    one object could be decided as one thing and carried out as another.
    """
    stack = [value]
    for item in stack:
        inside: Iterable[object]
        if type(item) is dict:
            if len(item) > 1 and len({key.casefold() for key in item}) != len(item):
                return _first_twin(item)
            inside = item.values()
        elif type(item) is list:
            inside = item
        else:
            continue
        for each in inside:
            if type(each) is dict or type(each) is list:
                stack.append(each)  # noqa: PERF401 -- a queue that grows while it is walked
    return None


_DECISIVE = frozenset(name.casefold() for name in DECISIVE)


def misspelt(params: dict[str, Any]) -> str | None:
    """A key that a reader without regard to case takes for one that decides, or None.

    It need not stand beside the right one: alone, it is absent to us and present to others.
    """
    for key in params:
        if key not in DECISIVE and key.casefold() in _DECISIVE:
            return key
    return None


def _first_twin(item: dict[str, Any]) -> str:
    seen: set[str] = set()
    for key in item:
        if key.casefold() in seen:
            return key
        seen.add(key.casefold())
    return ""


def request_text(id_text: bytes, method: str, payload: bytes) -> bytes:
    """A request as JSON text. `payload` is the JSON text of params, empty when absent."""
    if payload:
        named = b',"method":' + encode(method) + b',"params":'
        return b"".join((b'{"jsonrpc":"2.0","id":', id_text, named, payload, b"}"))
    return b'{"jsonrpc":"2.0","id":%b,"method":%b}' % (id_text, encode(method))


def notification_text(method: str, payload: bytes) -> bytes:
    if payload:
        return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (encode(method), payload)
    return b'{"jsonrpc":"2.0","method":%b}' % encode(method)


def result_text(id_text: bytes, result: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (id_text, result)


def error_text(id_text: bytes | None, error: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (id_text or b"null", error)


def error_object(code: int, message: str, data: bytes | None = None) -> bytes:
    """The JSON text of a JSON-RPC error."""
    if data is None:
        return b'{"code":%d,"message":%b}' % (code, encode(message))
    return b'{"code":%d,"message":%b,"data":%b}' % (code, encode(message), data)


if TYPE_CHECKING:
    _Payload = msgspec.Raw | None
else:
    _Payload = msgspec.Raw  # msgspec knows Raw only by itself; a missing member stays None


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """The envelope of a message from an upstream; payloads stay as they came, as JSON text."""

    jsonrpc: str = ""
    id: _Payload = None
    method: str | None = None
    params: _Payload = None
    result: _Payload = None
    error: _Payload = None


read_incoming = msgspec.json.Decoder(Incoming).decode
"""Reads an upstream's message. Raises msgspec.MsgspecError or RecursionError."""
