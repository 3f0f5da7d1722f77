"""What the real servers offer: tool -> argument -> the values it may have, if they are few.

One file for each server, written from its own source or its own answer to tools/list; `source`
says which and which version. A tool without arguments has `{}`; where nobody outside knows them,
`null`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from torhaus.model.servers import ToolClass

Arguments = dict[str, list[str] | None]


def offered(*servers: str) -> dict[str, Arguments | None]:
    """The tools of one product, or of several that share a table: then with all arguments."""
    everything: dict[str, Arguments | None] = {}
    for server in servers:
        text = (Path(__file__).parent / f"{server}.json").read_text()
        for name, has in json.loads(text)["tools"].items():
            before = everything.get(name)
            everything[name] = {**before, **has} if before and has else before or has
    return everything


def arguments_of(row: ToolClass) -> set[str]:
    """Every argument that a row reads to decide rights, except those pinned on all tools."""
    named = {name for each in row.targets for name in (*each.args, *each.either)}
    return named | set(row.dispatch or ()) | ({row.method_arg} if row.method_arg else set())


def differences(tools: Mapping[str, ToolClass], *servers: str) -> Iterator[str]:
    """Sentences about what a table says that is not so."""
    real = offered(*servers)
    for name in sorted(set(real) - set(tools)):
        yield f"{name} is not in the table"
    for name in sorted(set(tools) & set(real)):
        row, has = tools[name], real[name]
        if has is None:
            continue
        for argument in sorted(arguments_of(row) - set(has)):
            yield f"{name} has no argument {argument}"
        values = has.get(row.method_arg) if row.method_arg else None
        if values is not None and set(values) != set(row.method_actions):
            yield f"{name}: {row.method_arg} is one of {values}"
