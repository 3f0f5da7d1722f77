"""Doubts about rules in each other's shadow: permissions never left over, bounds around nothing."""

from collections.abc import Iterable

from torhaus.config.access import KINDS, Bounded, Scope
from torhaus.config.schema import File
from torhaus.config.tree import Path
from torhaus.config.words import Stated, Words
from torhaus.policy.classify import lineage

# Each allowed name is compared with each denied one of its block.
_MOST = 100_000


def doubt(words: Words, file: File) -> None:
    """Warn of what is said and can never count."""
    owners: dict[tuple[str, ...], list[Stated]] = {}
    for stated in words.stated:
        owners.setdefault(_owner(stated.path, file), []).append(stated)
    for owner, each in owners.items():
        _removed(words, each)
        if owner[0] == "role":
            _unread(words, each)
    for path, bounded in _bounded(file):
        _bounds(words, path, bounded)


def _owner(path: Path, file: File) -> tuple[str, ...]:
    """Whose rule it is: a role's, or a block's of a server for one name."""
    if path[0] == "roles":
        return ("role", str(path[1]))
    if path[0] == "accessControl":
        return ("role", file.accessControl[int(path[1])].role)
    server, whom = path[1:3] if path[0] == "permissions" else path[:2]
    return ("block", str(server), str(whom))


def _removed(words: Words, stated: Iterable[Stated]) -> None:
    """A deny of the same role or block that always removes an allow."""
    stated = list(stated)
    denies = [each for each in stated if each.denies and each.permission.when is None]
    if len(denies) * len(stated) > _MOST:
        return
    for each in stated:
        by = None if each.denies else next((d for d in denies if _covers(words, d, each)), None)
        if by is not None:
            line = words.source.line(by.path)
            message = f"this never counts: line {line} always removes it"
            words.source.warn(each.path, message, "remove one of the two")


def _covers(words: Words, deny: Stated, allow: Stated) -> bool:
    no, yes = deny.permission, allow.permission
    if no.server not in ("*", yes.server) or no.action not in ("*", yes.action):
        return False
    server = words.servers.get(yes.server)
    parents = {} if server is None else server.parents
    return no.type == "*" or no.type in lineage(yes.type, parents)


def _unread(words: Words, stated: Iterable[Stated]) -> None:
    """Who may write and not read can seldom do what he was meant to."""
    allows = [(each.path, each.permission) for each in stated if not each.denies]
    reads = {(one.server, one.type) for _, one in allows if one.action in ("read", "*")}
    some = {server for server, _ in reads}
    for path, one in allows:
        kinds = ("*", one.type)
        readable = any((server, kind) in reads for server in ("*", one.server) for kind in kinds)
        if one.type == "*":
            readable = "*" in some or one.server in some
        if one.action == "write" and not readable:
            things = "things" if one.type == "*" else one.type
            message = f"can write {things} but not read them: write does not include read"
            kind = "" if one.type == "*" else f"{one.type}:"
            words.source.warn(path, message, f"add {one.server}:{kind}read")


def _bounded(file: File) -> Iterable[tuple[Path, Bounded]]:
    for index, rule in enumerate(file.accessControl):
        yield ("accessControl", index), rule
    for path, _, blocks in file.blocks():
        for whom, block in blocks.items():
            yield (*path, whom), block


def _bounds(words: Words, path: Path, bounded: Bounded) -> None:
    for kind in KINDS:
        scope = getattr(bounded, kind)
        if scope is None:
            continue
        here = (*path, kind)
        if scope.allow == () or "*" in scope.deny:
            message = f"no call with {kind} can pass: none are left to allow"
            words.source.warn(here, message, f"list {kind}, or remove this")
        elif scope.allow is not None and len(scope.allow) * len(scope.deny) <= _MOST:
            _inside(words, here, scope)


def _inside(words: Words, path: Path, scope: Scope) -> None:
    """An allowed name that a denied one covers entirely.

    A star of the one is read by the other as any text without a slash: `myorg/*` covers
    `myorg/secret-*`.
    """
    deny = words.read_globs(scope.deny)
    for here, text in words.each(words.list_at(path, "allow"), scope.allow or ()):
        by = next((glob for glob in deny if glob.pattern.fullmatch(text)), None)
        if by is not None:
            what = words.shown((*path, "deny"), by.text)
            message = f"{words.shown(here, text)} never counts: deny has {what}"
            words.source.warn(here, message, "remove one of the two")
