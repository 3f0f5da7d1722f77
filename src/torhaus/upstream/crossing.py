"""An upstream's answer for a caller of the other era."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.mcp import eras
from torhaus.mcp.codes import METHOD_NOT_FOUND, MODERN_EVIDENCE
from torhaus.mcp.message import encode
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream import linking
from torhaus.upstream.replies import object_of


def to_modern(
    method: str, answer: Answer, initialize: bytes, declared: Mapping[str, Any]
) -> Answer:
    """`initialize`: the upstream's result of it; `declared`: what its caller may be asked.

    Raises UpstreamError for an unreadable result.
    """
    if answer.result is None:
        return error_to_modern(method, answer.error or b"{}", declared)
    info = (object_of(initialize) or {}).get("serverInfo")
    text = None if info is None else encode(info)
    change = _changed(lambda raw: eras.to_modern_result(method, raw, text), answer.result)
    return Answer(result=change)


def error_to_modern(method: str, error: bytes, declared: Mapping[str, Any]) -> Answer:
    """An error of a server with sessions, or the question that stands for it."""
    asked = linking.asked(method, error, declared)
    if asked is not None:
        return asked
    error = eras.to_modern_error(method, error)
    return Answer(error=error, status=status_of((object_of(error) or {}).get("code")))


def status_of(code: object) -> int:
    """The HTTP status of an error in the newer era."""
    if code == METHOD_NOT_FOUND:
        return 404
    return 400 if code in MODERN_EVIDENCE else 200


def to_legacy(method: str, answer: Answer) -> Answer:
    """Raises UpstreamError for an unreadable result."""
    result = answer.result
    if result is None:
        return Answer(error=eras.to_legacy_error(method, answer.error or b"{}"))
    return Answer(result=_changed(eras.to_legacy_result, result))


def _changed(change: Callable[[bytes], bytes], result: bytes) -> bytes:
    try:
        return change(result)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UpstreamError("it sent a result that cannot be read") from error
