"""What a caller is to hear before an answer: log messages he asked for, progress that goes on."""

from typing import Any

import msgspec

from torhaus.mcp.message import Request
from torhaus.mcp.versions import LOG_LEVEL_KEY

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
LOG = "notifications/message"
PROGRESS = "notifications/progress"

_decode = msgspec.json.decode


def reaches(level: object, threshold: str | None) -> bool:
    """Unknown levels pass: better one message too many than one lost."""
    if threshold not in LEVELS or level not in LEVELS:
        return True
    return LEVELS.index(str(level)) >= LEVELS.index(threshold)


class Forward:
    """Progress of one call. What goes back is not passed on; a server may stand still and say why.

    The protocol wants it to grow (basic/utilities/progress); clients show it as it comes.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: float | None = None

    def goes_on(self, params: dict[str, Any]) -> bool:
        progress = params.get("progress")
        if isinstance(progress, bool) or not isinstance(progress, int | float):
            return True
        if self._last is not None and progress < self._last:
            return False
        self._last = progress
        return True


class Stateless:
    """For the caller of a request of 2026-07-28, whose servers may say more than they were asked.

    Without a level in the request, no log message belongs to it (server/utilities/logging).
    """

    __slots__ = ("_forward", "_level")

    def __init__(self, request: Request) -> None:
        meta = request.params.get("_meta")
        level = meta.get(LOG_LEVEL_KEY) if isinstance(meta, dict) else None
        self._level = level if isinstance(level, str) else None
        self._forward = Forward()

    def passes(self, method: str, body: bytes) -> bool:
        """Whether a notification is for him. What cannot be read is not."""
        if method not in (LOG, PROGRESS):
            return True
        try:
            params = _decode(body)["params"]
            if method == PROGRESS:
                return self._forward.goes_on(params)
            return self._level is not None and reaches(params.get("level"), self._level)
        except (msgspec.MsgspecError, RecursionError, KeyError, TypeError, AttributeError):
            return False
