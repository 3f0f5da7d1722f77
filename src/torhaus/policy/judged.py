"""What a tool counts as, whatever its arguments: for people who look at a catalogue."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from torhaus.model.servers import Server, TargetArgs, ToolClass
from torhaus.policy.classify import Classified, possible, row


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One tool as policy sees it.

    `actions`: everything it might do. `argument`: which argument decides between them.
    `dispatches`: it runs another tool, and is judged by that one. `targets`: what its calls are
    about and which arguments say so, such as `repos: owner/repo`.
    `source`: `config`, `table`, `name`, `annotations` (they raised it) or `unknown`.
    """

    name: str
    actions: tuple[str, ...]
    type: str
    source: str
    tags: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    argument: str | None = None
    dispatches: bool = False


def judge(server: Server, name: str, hints: Mapping[str, Any]) -> Judged:
    """`hints`: the tool's annotations in the server's own list."""
    every = list(possible(server, name, hints))
    actions = _actions(every)
    known = row(server, name)
    raised = actions != _actions(possible(server, name, {}))
    return Judged(
        name=name,
        actions=actions,
        type=" ".join(sorted({each.type for each in every})),
        source="annotations" if raised else known.source if known else every[0].source,
        tags=tuple(sorted({tag for each in every for tag in each.tags})),
        targets=() if known is None else _targets(known),
        argument=None if known is None else known.method_arg,
        dispatches=known is not None and known.dispatch is not None,
    )


def _actions(every: Iterable[Classified]) -> tuple[str, ...]:
    return tuple(sorted({action for each in every for action in each.actions}))


def _targets(known: ToolClass) -> tuple[str, ...]:
    named = [f"{each.kind}: {_arguments(each)}" for each in known.targets]
    return (*named, *(f"{kind}: in no argument" for kind in sorted(known.blind)))


def _arguments(target: TargetArgs) -> str:
    return " or ".join(("/".join(target.args), *target.either))
