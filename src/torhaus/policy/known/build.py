"""From the words of a table or of the configuration to what policy reads."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.policy.known.spec import (
    ACTIONS,
    KINDS,
    MISSING,
    SCOPES,
    TAGS,
    Extra,
    ServerSpec,
    Target,
    ToolSpec,
)

# Numbers bypass lists of names, `all` is every project to Sentry, and `%2F` or `..` may be read
# as something else behind us. Slashes: GitLab's projects lie in groups.
_PART = r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
PROJECT_PATH = rf"({_PART}(?:/{_PART})+)"
PROJECT_NAME = rf"(?![0-9]+\Z|(?i:all)\Z)({_PART}(?:/{_PART})*)"

_NAMED_REPO = ("repo", "repo_optional")
_NAMED_PROJECT = ("project", "project_optional", "project_or_url")
# The server makes a new project's name from its title, and an issue's id does not tell.
_HIDDEN_PROJECT = ("project_new", "issue_ref")
_HIDDEN = ("org", "query", "id")
_NEVER = re.compile("(?!)")
WORDLESS = ServerSpec()
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,62}")


def table(rows: Mapping[str, ToolSpec], server: ServerSpec = WORDLESS) -> dict[str, ToolClass]:
    """A shipped table, ready to be read."""
    return {name: build(spec, server) for name, spec in rows.items()}


def build(
    spec: ToolSpec,
    server: ServerSpec = WORDLESS,
    *,
    source: str = "table",
    over: ToolClass | None = None,
) -> ToolClass:
    """What one tool does. Raises ValueError: a sentence about the first word nobody knows.

    `server`: the words that hold for all of its tools. `over`: the shipped class that this one
    takes the place of; it knows which of the server's `project_args` the tool really has, what a
    row without a scope is about, and what is pinned.
    """
    _check(spec)
    silent = not (spec.scope or spec.targets or spec.blind or spec.extra_targets)
    targets, blind = _silent(over) if silent else _scope(spec, server, over)
    extra = [_extra(each) for each in spec.extra_targets]
    own = [_target(each) for each in spec.targets]
    method = spec.method
    return ToolClass(
        actions=_actions(spec),
        type=spec.resource,
        scope=spec.scope or (over.scope if silent and over is not None else "none"),
        tags=frozenset(spec.tags),
        source=source,
        method_arg=None if method is None else method.arg,
        method_actions={} if method is None else dict(method.map),
        method_absent=None if method is None else method.absent,
        dispatch=None
        if spec.dispatch is None
        else (spec.dispatch.name_arg, spec.dispatch.args_arg),
        pinned=tuple({**dict(over.pinned if over else ()), **dict(pinned(server))}.items()),
        targets=(*targets, *extra, *own),
        blind=blind | frozenset(spec.blind),
    )


def parse(raw: object) -> ServerSpec:
    """A server's classification as a file has it. Raises ValueError: where, and what is wrong."""
    try:
        server = msgspec.convert(raw, ServerSpec)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    pinned(server)
    for pair in server.resource_parents.items():
        for word in pair:
            _type(word)
    for name, spec in server.tools.items():
        try:
            build(spec, server)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return server


def pinned(server: ServerSpec) -> tuple[tuple[str, str], ...]:
    """(argument, expression). Raises ValueError when one is no regular expression."""
    for argument, pattern in server.pinned_args.items():
        _pattern(argument, pattern)
    return tuple(server.pinned_args.items())


def _actions(spec: ToolSpec) -> frozenset[str]:
    if spec.dispatch is not None:
        return frozenset()
    if spec.method is not None:
        absent = () if spec.method.absent is None else (spec.method.absent,)
        return frozenset((*spec.method.map.values(), *absent))
    return frozenset((spec.action, *spec.also))


def _scope(
    spec: ToolSpec, server: ServerSpec, over: ToolClass | None
) -> tuple[tuple[TargetArgs, ...], frozenset[str]]:
    if spec.scope in _NAMED_REPO:
        return (TargetArgs(kind="repos", args=(spec.owner_arg, spec.repo_arg)),), frozenset()
    if spec.scope in _NAMED_PROJECT:
        named = _project(_project_args(spec, server, over))
        return (named, *_url(spec)), frozenset()
    if spec.scope in _HIDDEN_PROJECT:
        return (), frozenset(("projects",))
    if spec.scope in _HIDDEN:
        return (), frozenset(("projects" if server.project_args else "repos",))
    return (), frozenset()


def _url(spec: ToolSpec) -> tuple[TargetArgs, ...]:
    """Whatever a URL says, the project it is about is unknown."""
    if spec.scope != "project_or_url":
        return ()
    args = (spec.url_arg,)
    return (TargetArgs(kind="projects", args=args, missing="none", pattern=_NEVER),)


def _silent(over: ToolClass | None) -> tuple[tuple[TargetArgs, ...], frozenset[str]]:
    """A row that changes an action must not lift the bounds from a tool."""
    if over is None:
        return (), frozenset(KINDS)
    return over.targets, over.blind


def _project_args(spec: ToolSpec, server: ServerSpec, over: ToolClass | None) -> tuple[str, ...]:
    """A server ignores arguments it does not have: naming one of them must not count."""
    names = spec.project_args or server.project_args
    if not names:
        raise ValueError(
            f"scope {spec.scope} needs project_args: the arguments that name a project"
        )
    if spec.project_args or over is None:
        return names
    real = {name for each in over.targets for name in (*each.args, *each.either)}
    return tuple(name for name in names if name in real) or names


def _project(names: tuple[str, ...]) -> TargetArgs:
    return TargetArgs(
        kind="projects",
        args=names[:1],
        either=names[1:],
        many=True,
        pattern=re.compile(PROJECT_NAME),
    )


def _extra(extra: Extra) -> TargetArgs:
    if extra.default not in (None, "primary"):
        raise ValueError(f"{extra.default!r} is not a default of a second target: write primary")
    missing = extra.default or ("none" if extra.optional else "unknown")
    return TargetArgs(kind="repos", args=(extra.owner_arg, extra.repo_arg), missing=missing)


def _target(target: Target) -> TargetArgs:
    _known("kind", target.kind, KINDS)
    _known("meaning of a missing target", target.missing, MISSING)
    if not target.args:
        raise ValueError("a target needs args: the arguments that name it, outermost first")
    return TargetArgs(
        kind=target.kind,
        args=target.args,
        missing=target.missing,
        many=target.many,
        either=target.either,
        pattern=None if target.pattern is None else _pattern(target.args[-1], target.pattern),
    )


def _check(spec: ToolSpec) -> None:
    if spec.method is not None and spec.dispatch is not None:
        raise ValueError("a tool has a method or a dispatch, not both")
    if spec.method is not None and spec.also:
        raise ValueError("also says nothing beside a method: the method's map names every action")
    if spec.dispatch is None:
        _check_actions(spec)
    elif spec.action not in ("", "dispatch"):
        raise ValueError(f"a dispatcher does what the tool it runs does, so it is no {spec.action}")
    if spec.resource != "*":
        _type(spec.resource)
    _known("scope", spec.scope or "none", SCOPES)
    for tag in spec.tags:
        _known("tag", tag, TAGS)
    for kind in spec.blind:
        _known("kind", kind, KINDS)


def _check_actions(spec: ToolSpec) -> None:
    words = [spec.action, *spec.also] if spec.action or spec.also else []
    if spec.method is not None:
        words += [*spec.method.map.values(), *filter(None, (spec.method.absent,))]
        if not spec.method.map:
            raise ValueError(f"the method {spec.method.arg} needs a map: value -> action")
    if not words:
        raise ValueError(f"it needs an action: {', '.join(sorted(ACTIONS))}")
    for word in words:
        _known("action", word, ACTIONS)


def _known(what: str, word: str, words: Iterable[str]) -> None:
    if word not in words:
        raise ValueError(f"{word!r} is no {what}: use {', '.join(sorted(words))}")


def _type(word: str) -> None:
    if _TYPE.fullmatch(word) is None:
        raise ValueError(f"{word!r} is no type: use lower-case letters, digits and _, or * for any")


def _pattern(argument: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the pattern of {argument} is no regular expression: {error}") from None
