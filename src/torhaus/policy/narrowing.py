"""People who may use some servers only, whatever their roles open."""

from collections.abc import Mapping

import msgspec

from torhaus.model.access import Access, Permission


def narrowed(access: Mapping[str, Access], servers: tuple[str, ...]) -> Mapping[str, Access]:
    """The same on these servers, and on every other a deny, which goes before every allow.

    The entry `*` is for servers without one of their own, so those that are meant get one.
    """
    rule = f"only on {', '.join(servers)}"
    rest = access.get("*", Access())
    found = {name: _shut(each, name, rule) for name, each in {**access, "*": rest}.items()}
    return {**found, **{name: access.get(name, rest) for name in servers}}


def _shut(access: Access, server: str, rule: str) -> Access:
    return msgspec.structs.replace(access, denies=(Permission(server, "*", "*", rule),))
