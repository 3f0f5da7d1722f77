"""What a call does: which actions, on which type of thing. From its body alone."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from torhaus.model.servers import Server, ToolClass
from torhaus.policy.names import folded, normal, shown
from torhaus.policy.verbs import guess

READ = frozenset({"read"})
WRITE = frozenset({"write"})
UNKNOWN = frozenset({"unknown"})
_LONGEST = 128
NOTHING: Mapping[str, Any] = {}


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """What one call does. Every action needs its own permission on `type`.

    `type`: empty when nobody knows, `*` when it may be any; both need a permission for all types.
    `tool`: the tool that really runs, which a dispatcher names in its arguments; `row` is what a
    table says of it (None: nothing), and `arguments` are its own.
    `problem`: a sentence when the arguments that decide rights are malformed; then `actions` is
    empty and the call is refused.
    """

    actions: frozenset[str]
    type: str
    tool: str
    tags: frozenset[str] = frozenset()
    source: str = "table"
    problem: str | None = None
    row: ToolClass | None = None
    arguments: Mapping[str, Any] = NOTHING


def classify(
    server: Server, tool: str, arguments: Mapping[str, Any], hints: Mapping[str, Any]
) -> Classified:
    """Judge a tools/call: configuration or table, then its arguments, then the tool's name.

    `hints` (the server's own annotations) only raise: `readOnlyHint: false` makes a read a write,
    `destructiveHint: true` a read that only the name suggests. Nothing in them lowers.
    """
    known = row(server, tool)
    if known is None:
        return _named(server, tool, arguments, hints)
    if known.dispatch is not None:
        return _dispatched(server, tool, known, known.dispatch, arguments)
    return _known(known, tool, arguments, hints)


def row(server: Server, tool: str) -> ToolClass | None:
    """What the configuration or a table says of a tool; None when neither does."""
    name = normal(tool)
    found = server.classes.get(name)
    if found is None and server.selectors and len(name) <= _LONGEST:
        return next((each for glob, each in server.selectors if glob.pattern.fullmatch(name)), None)
    return found


def depends_on_arguments(server: Server, tool: str) -> bool:
    """Whether the same tool may be judged differently for other arguments."""
    known = row(server, tool)
    if known is None:
        return False
    return known.dispatch is not None or known.method_arg is not None or bool(known.pinned)


def possible(server: Server, tool: str, hints: Mapping[str, Any]) -> Iterator[Classified]:
    """Everything a tool might do, whatever its arguments."""
    known = row(server, tool)
    if known is None:
        yield _named(server, tool, NOTHING, hints)
    elif known.dispatch is not None:
        for inner in server.classes.values():
            if inner.dispatch is None:
                yield from _each(inner, tool, {})
    else:
        yield from _each(known, tool, hints)


def lineage(kind: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The type and those it belongs to. Bounded, should a configuration make a ring of parents."""
    above = parents.get(kind)
    if above is None:
        return (kind,)
    found = [kind]
    while above is not None and above not in found:
        found.append(above)
        above = parents.get(above)
    return tuple(found)


def _each(known: ToolClass, tool: str, hints: Mapping[str, Any]) -> Iterator[Classified]:
    if known.method_arg is None:
        yield _result(known, tool, known.actions, NOTHING, hints)
        return
    absent = () if known.method_absent is None else (known.method_absent,)
    for action in sorted({*known.method_actions.values(), *absent}):
        yield _result(known, tool, frozenset((action,)), NOTHING, hints)


def _named(
    server: Server, tool: str, arguments: Mapping[str, Any], hints: Mapping[str, Any]
) -> Classified:
    action, kind = guess(server.name, tool) if len(tool) <= _LONGEST else ("unknown", "")
    if action == "unknown":
        return Classified(
            actions=UNKNOWN, type="", tool=tool, source="unknown", arguments=arguments
        )
    if action == "read" and (
        hints.get("readOnlyHint") is False or hints.get("destructiveHint") is True
    ):
        action = "write"
    return Classified(
        actions=frozenset((action,)), type=kind, tool=tool, source="name", arguments=arguments
    )


def _known(
    known: ToolClass, tool: str, arguments: Mapping[str, Any], hints: Mapping[str, Any]
) -> Classified:
    problem = _misdirected(known, tool, arguments) if known.pinned else None
    if problem is not None:
        return _malformed(known, tool, problem)
    if known.method_arg is None:
        return _result(known, tool, known.actions, arguments, hints)
    found = _method_action(known, known.method_arg, arguments)
    if found is None:
        return _malformed(known, tool, _method_problem(known, known.method_arg, tool))
    return _result(known, tool, frozenset((found,)), arguments, hints)


def _result(
    known: ToolClass,
    tool: str,
    actions: frozenset[str],
    arguments: Mapping[str, Any],
    hints: Mapping[str, Any],
) -> Classified:
    # An administrator's own word is final; a table may be older than the server.
    if actions == READ and hints.get("readOnlyHint") is False and known.source != "config":
        actions = WRITE
    return Classified(
        actions=actions,
        type=known.type,
        tool=tool,
        tags=known.tags,
        source=known.source,
        row=known,
        arguments=arguments,
    )


def _method_action(known: ToolClass, argument: str, arguments: Mapping[str, Any]) -> str | None:
    """Never coerced, never trimmed: the server behind may read a near miss its own way."""
    if _shadowed(argument, arguments):
        return None
    if argument not in arguments:
        return known.method_absent
    value = arguments[argument]
    return known.method_actions.get(value) if isinstance(value, str) else None


def _shadowed(argument: str, arguments: Mapping[str, Any]) -> bool:
    """`Method` beside or instead of `method`: Go's JSON takes either (CVE-2026-27896)."""
    meant = folded(argument)
    for name in arguments:  # noqa: SIM110 -- `any` costs another frame, for each decision
        if name != argument and folded(name) == meant:
            return True
    return False


def _method_problem(known: ToolClass, argument: str, tool: str) -> str:
    choices = ", ".join(f"`{value}`" for value in known.method_actions)
    return f"{shown(tool)} needs `{argument}` spelled as one of {choices}"


def _misdirected(known: ToolClass, tool: str, arguments: Mapping[str, Any]) -> str | None:
    for argument, pattern in known.pinned:
        value = arguments.get(argument)
        fits = value is None or (isinstance(value, str) and re.fullmatch(pattern, value))
        if not fits or _shadowed(argument, arguments):
            return f"{shown(tool)} may not choose this `{argument}`; leave it out"
    return None


def _dispatched(
    server: Server,
    tool: str,
    outer: ToolClass,
    names: tuple[str, str],
    arguments: Mapping[str, Any],
) -> Classified:
    """A tool that runs another tool is judged by that other tool. The hints are not its own."""
    name_arg, inner_arg = names
    problem = _misdirected(outer, tool, arguments)
    if problem is not None:
        return _malformed(outer, tool, problem)
    if _shadowed(name_arg, arguments) or _shadowed(inner_arg, arguments):
        return _malformed(outer, tool, f"{shown(tool)} has an argument twice in different case")
    name, inner = arguments.get(name_arg), arguments.get(inner_arg, {})
    if not isinstance(name, str) or not isinstance(inner, Mapping):
        return _malformed(
            outer, tool, f"{shown(tool)} needs `{name_arg}` as text and `{inner_arg}` as an object"
        )
    target = row(server, name)
    if target is None:
        return _named(server, name, inner, {})
    if target.dispatch is not None:
        return _malformed(outer, tool, f"{shown(tool)} may not run {shown(name)} in turn")
    return _known(target, name, inner, {})


def _malformed(known: ToolClass, tool: str, problem: str) -> Classified:
    return Classified(
        actions=frozenset(),
        type=known.type,
        tool=tool,
        tags=known.tags,
        source=known.source,
        problem=problem,
    )
