"""What the real servers offer: tool -> argument -> the values it may have, if they are few.

One file for each server, written from its own source or its own answer to tools/list; `source`
says which and which version.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from torhaus.model.servers import ToolClass

Arguments = dict[str, list[str] | None]


def offered(server: str) -> dict[str, Arguments]:
    text = (Path(__file__).parent / f"{server}.json").read_text()
    tools: dict[str, Arguments] = json.loads(text)["tools"]
    return tools


def arguments_of(row: ToolClass) -> set[str]:
    """Every argument that a row reads to decide rights, except those pinned on all tools."""
    named = {name for each in row.targets for name in (*each.args, *each.either)}
    return named | set(row.dispatch or ()) | ({row.method_arg} if row.method_arg else set())


def differences(
    tools: Mapping[str, ToolClass], server: str, *, without: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Sentences about what a table says that is not so; `without`: tools left out on purpose."""
    real = offered(server)
    for name in sorted(set(real) - set(tools) - without):
        yield f"{name} is not in the table"
    for name in sorted(set(tools) & set(real)):
        row, has = tools[name], real[name]
        for argument in sorted(arguments_of(row) - set(has)):
            yield f"{name} has no argument {argument}"
        values = has.get(row.method_arg) if row.method_arg else None
        if values is not None and set(values) != set(row.method_actions):
            yield f"{name}: {row.method_arg} is one of {values}"
