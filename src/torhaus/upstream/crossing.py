"""An upstream's answer for a caller of the other era."""

from collections.abc import Callable

import msgspec

from torhaus.mcp import eras
from torhaus.mcp.codes import METHOD_NOT_FOUND, MISSING_CAPABILITY
from torhaus.mcp.message import encode
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream.replies import object_of


def to_modern(method: str, answer: Answer, initialize: bytes) -> Answer:
    """`initialize`: the upstream's result of it. Raises UpstreamError for an unreadable result."""
    if answer.result is None:
        error = eras.to_modern_error(method, answer.error or b"{}")
        return Answer(error=error, status=status_of((object_of(error) or {}).get("code")))
    info = (object_of(initialize) or {}).get("serverInfo")
    text = None if info is None else encode(info)
    change = _changed(lambda raw: eras.to_modern_result(method, raw, text), answer.result)
    return Answer(result=change)


def status_of(code: object) -> int:
    """The HTTP status of an error in the newer era."""
    if code == METHOD_NOT_FOUND:
        return 404
    return 400 if code == MISSING_CAPABILITY else 200


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
