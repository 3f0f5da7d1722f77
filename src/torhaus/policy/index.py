"""What can be worked out of somebody's access once, so that no call does it again."""

import re
from collections.abc import Iterable, Mapping
from re import Pattern
from typing import Any

import msgspec

from torhaus.model.access import Access, Bound, Effect, Glob, Hours, Permission, Policy

_ANY = frozenset({"*", "**"})
_WILD = frozenset("*?")
_INDEX = "index"


class Shelf(msgspec.Struct, frozen=True):
    """Permissions in their order, and by action and type: long lists are not walked.

    `met`: what was found before. No call can make it grow: its keys are of the configuration.
    """

    every: tuple[Permission, ...]
    sorted: Mapping[str, Mapping[str, tuple[tuple[int, Permission], ...]]]
    met: dict[tuple[str, tuple[str, ...]], tuple[Permission, ...]] = {}

    def covering(self, action: str, kinds: tuple[str, ...]) -> tuple[Permission, ...]:
        """Those for this action on one of these types or on all, in their order.

        `kinds`: a type, and those it belongs to as the configuration says.
        """
        if action not in self.sorted:
            action = "*"
        shelf = self.sorted[action]
        if len(kinds) == 1 and kinds[0] not in shelf:
            kinds = _ALL  # a type may be anything: tools are named by anybody
        found = self.met.get((action, kinds))
        if found is None:
            found = self.met[action, kinds] = _in_order(shelf, kinds)
        return found


_ALL = ("*",)


def _in_order(
    shelf: Mapping[str, tuple[tuple[int, Permission], ...]], kinds: tuple[str, ...]
) -> tuple[Permission, ...]:
    found = {place: each for kind in (*kinds, "*") for place, each in shelf.get(kind, ())}
    return tuple(found[place] for place in sorted(found))


class Names(msgspec.Struct, frozen=True):
    """Many globs as one question: whole names in a set, patterns by their first segment."""

    whole: frozenset[str]
    under: Mapping[str, tuple[Pattern[str], ...]]
    loose: tuple[Pattern[str], ...]
    exact: bool

    def hold(self, name: str) -> bool:
        """`name` as the caller wrote it; case counts only where `exact` is set."""
        asked = name if self.exact else name.lower()
        if asked in self.whole:
            return True
        near = self.under.get(asked.partition("/")[0], ())
        return any(p.fullmatch(name) for p in near) or any(p.fullmatch(name) for p in self.loose)


class Limit(msgspec.Struct, frozen=True):
    """A bound, ready to be asked. `allow` None: any name."""

    bound: Bound
    allow: Names | None
    deny: Names | None


class Index(msgspec.Struct, frozen=True):
    """`limits`: bounds that can refuse anything; `kinds`: the kinds of targets they are about.

    `arguments`: a verdict may depend on a call's arguments, `elsewhere`: on its address or client.
    `hours`: on the time, by these.
    """

    allows: Shelf
    scopes: Shelf | None
    denies: Shelf
    limits: tuple[Limit, ...]
    kinds: frozenset[str]
    refusing: tuple[Policy, ...]
    asking: tuple[Policy, ...]
    watching: tuple[Policy, ...]
    hours: tuple[Hours, ...]
    arguments: bool
    elsewhere: bool


_REFUSING = frozenset(
    {
        Effect.DENY,
        Effect.DENY_OUTSIDE_HOURS,
        Effect.DENY_OUTSIDE_NETWORKS,
        Effect.DENY_OTHER_CLIENTS,
    }
)
_WATCHING = frozenset({Effect.LOG_ONLY, Effect.REDACT})


def index(access: Access) -> Index:
    """The same object for the same access, made when it is first asked for."""
    kept: dict[str, Any] = access.__dict__
    found: Index | None = kept.get(_INDEX)
    if found is None:
        found = kept[_INDEX] = _index(access)
    return found


def _index(access: Access) -> Index:
    limits = tuple(limit for limit in map(_limit, access.bounds) if limit is not None)
    policies = access.policies
    hours = tuple(each.hours for each in policies if each.hours is not None)
    elsewhere = bool(access.origins) or any(
        each.networks is not None or each.clients is not None for each in policies
    )
    conditions = (
        *(each.when for each in (*access.allows, *access.denies)),
        *(each.when for each in access.bounds),
        *(each.when for each in policies),
    )
    return Index(
        allows=_shelf(access.allows),
        scopes=None if access.scopes is None else _shelf(access.scopes),
        denies=_shelf(access.denies),
        limits=limits,
        kinds=frozenset(limit.bound.kind for limit in limits),
        refusing=tuple(each for each in policies if each.effect in _REFUSING),
        asking=tuple(each for each in policies if each.effect is Effect.REQUIRE_APPROVAL),
        watching=tuple(each for each in policies if each.effect in _WATCHING),
        hours=hours,
        arguments=access.arguments or bool(limits) or any(when is not None for when in conditions),
        elsewhere=elsewhere or (access.moment and not hours),
    )


def _shelf(permissions: tuple[Permission, ...]) -> Shelf:
    actions = {each.action for each in permissions} | {"*"}
    by_action: dict[str, dict[str, tuple[tuple[int, Permission], ...]]] = {}
    for action in actions:
        types: dict[str, list[tuple[int, Permission]]] = {}
        for place, each in enumerate(permissions):
            if each.action in (action, "*"):
                types.setdefault(each.type, []).append((place, each))
        by_action[action] = {kind: tuple(some) for kind, some in types.items()}
    return Shelf(permissions, by_action)


def _limit(bound: Bound) -> Limit | None:
    """None for a bound that leaves everything open, also where targets are not known."""
    # Only the case of paths means something to servers, and only an allow list is safer for it.
    free = bound.allow is None or any(glob.text in _ANY for glob in bound.allow)
    allow = None if free else _names(bound.allow or (), exact=bound.kind == "paths")
    deny = _names(bound.deny, exact=False) if bound.deny else None
    return None if allow is None and deny is None else Limit(bound, allow, deny)


def _names(globs: Iterable[Glob], *, exact: bool) -> Names:
    whole: set[str] = set()
    under: dict[str, list[Pattern[str]]] = {}
    loose: list[Pattern[str]] = []
    for glob in globs:
        pattern = _cased(glob.pattern) if exact else glob.pattern
        text = glob.text if exact else glob.text.lower()
        head, slash, _ = text.partition("/")
        if not _WILD & set(text):
            whole.add(text)
        elif slash and not _WILD & set(head):
            under.setdefault(head, []).append(pattern)
        else:
            loose.append(pattern)
    return Names(
        frozenset(whole), {head: tuple(some) for head, some in under.items()}, tuple(loose), exact
    )


def _cased(pattern: Pattern[str]) -> Pattern[str]:
    return re.compile(pattern.pattern, pattern.flags & ~re.IGNORECASE)
