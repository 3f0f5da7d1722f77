"""A known caller at the door."""

from math import inf

import msgspec

from torhaus.identity.identify import by_key
from torhaus.model.credentials import Credential
from torhaus.model.live import Lease, Live, NobodyElse
from torhaus.model.people import Principal
from torhaus.model.rules import Rules


class Visitor(msgspec.Struct, frozen=True):
    """`key`: what proved it, or the consent a token came of; None for an anonymous caller.

    `credential`: of the database; None for a key of the file. `shown`: what records call it.
    """

    principal: Principal
    key: bytes | None
    lease: Lease = msgspec.field(default_factory=Lease)
    credential: Credential | None = None
    live: Live = msgspec.field(default_factory=NobodyElse)
    shown: str = ""

    @property
    def actor(self) -> Principal:
        """The caller with what he came with, for records that are no call's."""
        return msgspec.structs.replace(self.principal, shown=self.shown)

    def renewed(self, rules: Rules) -> Principal | None:
        """The caller as these rules know him; None once nothing proves him any more."""
        key, known = self.key, self.principal.id
        if self.lease.ended:
            return None
        if self.credential is not None:
            owner = rules.principals.get(known)
            return None if owner is None else self.live.acting(owner, self.credential)
        caller = by_key(rules, key) if key is not None else rules.principals.get(known)
        # The key is gone, or has been given to somebody else.
        return caller if caller is not None and caller.id == known else None

    def over(self, now: float) -> bool:
        """Whether what he came in with lets nobody in any more, or nobody knows that it does."""
        return self.lease.until <= now or (self.credential is not None and self.live.until <= now)

    def until(self, rules: Rules, now: float) -> float:
        """The next instant at which time alone makes him somebody who may do something else."""
        known = rules.principals.get(self.principal.id, self.principal)
        ends = [each.ends for each in known.phases]
        ends.append(inf if known.expires is None else known.expires)
        return min((each for each in (self.lease.until, *ends) if each > now), default=inf)
