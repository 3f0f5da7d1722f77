"""How one row of a table is written."""

from collections.abc import Mapping

from torhaus.model.servers import ToolClass

Method = tuple[str, Mapping[str, str]]


def tool(  # noqa: PLR0913 - a row has as many columns as the table; all but three are rare
    actions: str,
    of: str,
    scope: str = "none",
    *,
    tags: str = "",
    method: Method | None = None,
    absent: str | None = None,
    dispatch: tuple[str, str] | None = None,
) -> ToolClass:
    """A row: what it does, to which type, and how far that depends on its arguments.

    `actions` and `tags` are separated by blanks. `method`: (argument, value -> action).
    """
    argument, values = ("", {}) if method is None else method
    return ToolClass(
        actions=frozenset(actions.split()) | frozenset(values.values()),
        type=of,
        scope=scope,
        tags=frozenset(tags.split()),
        source="table",
        method_arg=argument or None,
        method_actions=values,
        method_absent=absent,
        dispatch=dispatch,
    )
