"""How one row of a shipped table is written."""

from collections.abc import Mapping
from typing import Any

from torhaus.policy.known.spec import Dispatch, Method, ToolSpec


def tool(
    actions: str,
    of: str,
    scope: str = "none",
    *,
    tags: str = "",
    method: tuple[str, Mapping[str, str]] | None = None,
    **words: Any,
) -> ToolSpec:
    """A row: what it does, to which type, and where it says to which thing.

    `actions` and `tags` are separated by blanks. `method`: (argument, value -> action), with
    `absent` and `dispatch` beside it as `ToolSpec` describes them; so are all other `words`.
    """
    first, *also = actions.split() or [""]
    absent, dispatch = words.pop("absent", None), words.pop("dispatch", None)
    return ToolSpec(
        action=first,
        also=tuple(also),
        resource=of,
        scope=scope,
        tags=tuple(tags.split()),
        method=method and Method(arg=method[0], map=dict(method[1]), absent=absent),
        dispatch=dispatch and Dispatch(name_arg=dispatch[0], args_arg=dispatch[1]),
        **words,
    )
