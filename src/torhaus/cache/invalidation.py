"""What a write makes untrue."""

import re
from collections.abc import Mapping
from typing import Any

from torhaus.model.caching import Selector
from torhaus.model.call import Call
from torhaus.model.names import normal

_HOLE = re.compile(r"\{([^{}]+)\}")


def invalidations(call: Call) -> tuple[Selector, ...]:
    """What to forget once this call may have taken effect, whatever it ended with.

    A trigger that fails, or whose end nobody hears of, may have written all the same.
    """
    triggers = call.server.caching.triggers
    if not triggers or call.method != "tools/call":
        return ()
    return tuple(
        Selector(tag=each.tag, where=filled(each.where, call.arguments))
        for each in triggers.get(normal(call.operation), ())
    )


def filled(
    where: tuple[tuple[str, str], ...], arguments: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """The templates with the write's arguments in them.

    Where one is missing, or is no text or number, the template asks for nothing: the write may
    have been about anything.
    """
    return tuple(
        (name, text) for name, template in where if (text := _fill(template, arguments)) is not None
    )


def _fill(template: str, arguments: Mapping[str, Any]) -> str | None:
    for name in _HOLE.findall(template):
        value = arguments.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
    return _HOLE.sub(lambda hole: str(arguments[hole[1]]), template)
