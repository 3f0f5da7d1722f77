"""How the rows of a shipped table are written."""

from collections.abc import Mapping
from typing import Any

from torhaus.policy.known.spec import Dispatch, Method, Target, ToolSpec


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


def tools(
    names: str, actions: str, of: str, scope: str = "none", **words: Any
) -> dict[str, ToolSpec]:
    """The same row for several tools, whose names are separated by blanks."""
    row = tool(actions, of, scope, **words)
    return dict.fromkeys(names.split(), row)


def either_tables(*tables: Mapping[str, ToolSpec]) -> dict[str, ToolSpec]:
    """One table of several products that share a name. Raises ValueError where they disagree."""
    merged: dict[str, ToolSpec] = {}
    for table in tables:
        for name, row in table.items():
            if merged.setdefault(name, row) != row:
                raise ValueError(f"{name} does one thing in one product and another in the other")
    return merged


def hidden(kind: str, *arguments: str) -> tuple[Target, ...]:
    """Arguments that, where they are given, name a thing so that no rule can tell which."""
    return tuple(
        Target(kind=kind, args=(argument,), missing="none", many=True, pattern="(?!)")
        for argument in arguments
    )
