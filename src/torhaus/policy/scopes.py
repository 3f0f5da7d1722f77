"""Scopes of a credential: they take away from what its owner may do, and give nothing."""

from collections.abc import Iterable, Mapping

import msgspec

from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.policy.permission import parse


def permissions(scopes: Iterable[str]) -> tuple[Permission, ...]:
    """Scopes, written as permissions are. Raises ValueError: a sentence that says what is wrong."""
    return tuple(parse(text, f"scope {text}") for text in scopes)


def scoped(principal: Principal, scopes: tuple[Permission, ...]) -> Principal:
    """The same person, held to these: each action needs an allow of his and one of them."""
    return msgspec.structs.replace(
        principal,
        phases=tuple(_phase(each, scopes) for each in principal.phases),
        scopes=scopes,
    )


def within(permission: Permission, scopes: tuple[Permission, ...] | None) -> bool:
    """Whether a credential with these scopes may use a right; None has no scopes."""
    return scopes is None or any(
        each.server in ("*", permission.server)
        and each.type in ("*", permission.type)
        and each.action in ("*", permission.action)
        for each in scopes
    )


def _phase(phase: Phase, scopes: tuple[Permission, ...]) -> Phase:
    named = {each.server for each in scopes if each.server != "*"} - set(phase.access)
    base: Mapping[str, Access] = {**phase.access, **{name: phase.on(name) for name in named}}
    access = {server: _held(each, server, scopes) for server, each in base.items()}
    return msgspec.structs.replace(phase, access=access)


def _held(access: Access, server: str, scopes: tuple[Permission, ...]) -> Access:
    here = tuple(each for each in scopes if each.server in ("*", server))
    return msgspec.structs.replace(access, scopes=here)
