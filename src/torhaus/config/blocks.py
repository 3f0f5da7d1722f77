"""`accessControl`, `roles` and servers' blocks compiled: who may do what, to which things."""

from collections.abc import Callable, Sequence
from functools import partial

from torhaus.config.access import ALL, KINDS, AccessRule, Block, Bounded, Role, Scope
from torhaus.config.restrictions import Restrictions
from torhaus.config.rulings import Ruling, Rulings
from torhaus.config.schema import File
from torhaus.config.sensitive import Data
from torhaus.config.tree import Path
from torhaus.config.words import Stated, Words
from torhaus.model.access import Bound, Condition, Glob, Origin, Permission
from torhaus.model.names import HOUSE

Reading = Callable[[str, str], Permission]


def rulings(words: Words, file: File, data: Data) -> Rulings:
    """Everything that roles and blocks say. Mistakes go to the source's problems."""
    found = Rulings()
    restrictions = Restrictions(words, data)
    for name, role in file.every_role().items():
        found.roles[name] = _role(words, restrictions, name, role)
    for index, rule in enumerate(file.accessControl):
        ruling = _rule(words, ("accessControl", index), rule)
        found.roles.setdefault(rule.role, []).append(ruling)
    for stated in words.stated:
        named = stated.permission.server
        # Restrictions look for their server themselves; the gateway itself is always there.
        if stated.path[2] != "restrictions" and named != HOUSE:
            words.server(named, stated.path, holds_back=stated.denies)
    for path, server, blocks in file.blocks():
        words.server(server, path, holds_back=True)
        for whom, block in blocks.items():
            _file_block(words, found, (*path, whom), server, block)
    return found


def _role(words: Words, restrictions: Restrictions, name: str, role: Role) -> list[Ruling]:
    path: Path = ("roles", name)
    reading = partial(_anywhere, words, name)
    allows = _permissions(words, (*path, "permissions"), role.permissions, reading)
    found = [Ruling(allows=allows)]
    for index, (word, names) in enumerate(role.restrictions):
        found += restrictions.read(name, (*path, "restrictions", index), word, names)
    return found


def _anywhere(words: Words, name: str, text: str, prefix: str = "") -> Permission:
    return words.permission(text, f"{name}: {prefix}{text}")


def _rule(words: Words, path: Path, rule: AccessRule) -> Ruling:
    reading = partial(_anywhere, words, rule.role)
    when = words.when(rule.when, path)
    return Ruling(
        allows=_permissions(words, (*path, "allow"), rule.allow, reading, when=when),
        denies=_permissions(
            words, (*path, "deny"), rule.deny, partial(reading, prefix="deny "), when=when
        ),
        bounds=_bounds(words, path, rule, rule.role, when),
    )


def _permissions(
    words: Words,
    path: Path,
    texts: Sequence[str],
    reading: Callable[[str], Permission],
    *,
    when: Condition | None = None,
) -> tuple[Permission, ...]:
    found = []
    for here, text in words.each(path, texts):
        one = words.read(here, partial(reading, text))
        if one is None:
            continue
        found.append(one if when is None else _only_when(one, when))
        words.stated.append(Stated(here, found[-1], denies=path[-1] == "deny"))
    return tuple(found)


def _only_when(one: Permission, when: Condition) -> Permission:
    return Permission(one.server, one.type, one.action, one.rule, when)


def _file_block(words: Words, found: Rulings, path: Path, server: str, block: Block) -> None:
    whom = str(path[-1])
    ruling = _block(words, path, server, block)
    if not words.names_somebody(whom, path):
        return
    for named, by in (
        (words.is_role, found.roles),
        (words.is_group, found.groups),
        (words.is_user, found.users),
    ):
        if named(whom):
            by.setdefault(whom.lower() if "@" in whom else whom, []).append(ruling)


def _block(words: Words, path: Path, server: str, block: Block) -> Ruling:
    name = f"{server} block of {path[-1]}"
    when = words.when(block.when, path)

    def reading(text: str, prefix: str = "") -> Permission:
        return words.in_block(server, text, f"{name}: {prefix}{text}")

    denying = partial(reading, prefix="deny ")
    anywhere = block.networks is None and block.clients is None
    return Ruling(
        server=server,
        allows=_permissions(words, (*path, "allow"), block.allow, reading, when=when),
        denies=_permissions(words, (*path, "deny"), block.deny, denying, when=when),
        bounds=_bounds(words, path, block, name, when),
        origins=() if anywhere else (_origin(name, block),),
        exclusive=block.exclusive,
    )


def _origin(name: str, block: Block) -> Origin:
    clients = None if block.clients is None else frozenset(map(str.casefold, block.clients))
    what = " and ".join(
        each for each in ("networks", "clients") if getattr(block, each) is not None
    )
    return Origin(rule=f"{name}: {what}", networks=block.networks, clients=clients)


def _bounds(
    words: Words, path: Path, rules: Bounded, name: str, when: Condition | None
) -> tuple[Bound, ...]:
    found = []
    for kind in KINDS:
        scope: Scope | None = getattr(rules, kind)
        if scope is None:
            continue
        allow, deny = _scope(words, path, kind, scope)
        if allow is not None or deny:
            rule = f"{name}: {kind}"
            found.append(Bound(kind=kind, rule=rule, allow=allow, deny=deny, when=when))
    return tuple(found)


def _scope(
    words: Words, block: Path, kind: str, scope: Scope
) -> tuple[tuple[Glob, ...] | None, tuple[Glob, ...]]:
    """`"*"` among the allowed is all, also of kinds whose names have several parts."""
    if not ALL.isdisjoint(scope.deny):
        return (), ()
    path, allow = (*block, kind), None
    if scope.allow is not None and ALL.isdisjoint(scope.allow):
        allow = words.globs(words.list_at(path, "allow"), kind, scope.allow)
    return allow, words.globs((*path, "deny"), kind, scope.deny)
