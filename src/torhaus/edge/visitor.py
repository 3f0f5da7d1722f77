"""A known caller at the door."""

import msgspec

from torhaus.identity.identify import by_key
from torhaus.model.people import Principal
from torhaus.model.rules import Rules


class Visitor(msgspec.Struct, frozen=True):
    """`key`: what proved it; None for an anonymous caller of a listed network."""

    principal: Principal
    key: bytes | None

    def renewed(self, rules: Rules) -> Principal | None:
        """The caller as these rules know him; None once nothing proves him any more."""
        key, known = self.key, self.principal.id
        caller = by_key(rules, key) if key is not None else rules.principals.get(known)
        # The key is gone, or has been given to somebody else.
        return caller if caller is not None and caller.id == known else None
