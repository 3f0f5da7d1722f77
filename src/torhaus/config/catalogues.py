"""Doubts about words: what no tool that a server is known to have would ever match."""

from collections.abc import Mapping, Sequence

from torhaus.config.policing import Rule
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.access import Glob
from torhaus.model.servers import Server
from torhaus.policy.classify import lineage
from torhaus.policy.tables import METHOD_TYPES

# Each name of a policy is compared with each known tool.
_MOST = 500_000


class Catalogue:
    """What the known tools of one server do: actions on types and on what these belong to."""

    def __init__(self, server: Server) -> None:
        # Tools that only a glob of the file knows have names of their own.
        self._open = not server.classes or bool(server.selectors)
        self._tools = tuple(server.classes)
        self._pairs: set[tuple[str, str]] = set()
        for row in server.classes.values():
            actions = {*row.actions, *row.method_actions.values(), "*"}
            for kind in {"*", *lineage(row.type, server.parents)}:
                self._pairs.update((kind, action) for action in actions)
        # `*` as a tool's own type: it may be about anything.
        rows = (row for row in server.classes.values() if row.type == "*")
        self._anything = {action for row in rows for action in row.actions}

    def has(self, kind: str, action: str) -> bool:
        """Whether some tool does this to things of this type."""
        if self._open or kind in METHOD_TYPES or (kind, action) in self._pairs:
            return True
        return bool(self._anything) if action == "*" else action in self._anything

    def has_tool(self, glob: Glob) -> bool:
        return self._open or any(glob.pattern.fullmatch(name) for name in self._tools)

    def __len__(self) -> int:
        return len(self._tools)


def doubt(words: Words, rules: Sequence[Rule]) -> None:
    """Warn of permissions and policies about tools that no server is known to have."""
    known = {name: Catalogue(server) for name, server in words.servers.items()}
    for stated in words.stated:
        one = stated.permission
        server = known.get(one.server)
        if server is not None and not server.has(one.type, one.action):
            what = "no tool" if one.action == "*" else f"no tool with action {one.action}"
            about = "" if one.type == "*" else f" on {one.type}"
            if words.outside(stated.path):
                what, about = "no such tool", ""
            message = f"this never matches: {one.server} is known to have {what}{about}"
            fix = f"correct it; `torhaus tools {one.server}` lists what there is"
            words.source.warn(stated.path, message, fix)
    for rule in rules[: _MOST // max(1, sum(map(len, known.values())))]:
        on = [known[name] for name in known if rule.servers is None or name in rule.servers]
        if on:
            _policy(words, rule, known, on)


def _policy(
    words: Words, rule: Rule, known: Mapping[str, Catalogue], on: Sequence[Catalogue]
) -> None:
    path = (*rule.path, "applies_to")
    for where, glob in rule.tools or ():
        there = on if where is None else [known[where]]
        if not any(each.has_tool(glob) for each in there):
            _never(words, path, f"no server is known to have a tool called {glob.text!r}")
    kinds, actions = rule.policy.types or {"*"}, rule.policy.actions or {"*"}
    for kind in sorted(kinds):
        if not any(each.has(kind, action) for each in on for action in actions):
            _never(words, path, f"no tool is known with {'/'.join(sorted(actions))} on {kind}")


def _never(words: Words, path: Path, why: str) -> None:
    fix = "correct the names; `torhaus tools SERVER` lists what there is"
    if words.outside(path):
        why = "no server is known to have such a tool"
    words.source.warn(path, f"part of this never applies: {why}", fix)
