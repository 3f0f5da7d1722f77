"""What a process knows right now of credentials, people and stops, without asking anybody."""

from math import inf
from typing import Protocol

from torhaus.model.credentials import Credential
from torhaus.model.people import Principal
from torhaus.model.stops import Stop, StopKind


class Lease:
    """What all that was let in with one credential has in common. Changes while it is held.

    `until`: Unix seconds, the first instant at which nothing more is let in with it. `ended`: it
    was taken away before its time, and what came with it must go. `used`: when it was shown last.
    """

    __slots__ = ("ended", "until", "used")

    def __init__(self, until: float = inf) -> None:
        self.until = until
        self.ended = False
        self.used = 0.0

    def end(self) -> None:
        self.ended = True
        self.until = -inf


class Live(Protocol):
    """Owned by one event loop. Only `look` waits. Times are Unix seconds.

    `until`: the first instant at which what is known is too old to let anybody in by it.
    """

    until: float

    def find(self, digest: bytes) -> Credential | None:
        """The credential, if it is known and was not ended. It may be over by itself."""
        ...

    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool:
        """Whether `look` may know more: not where it has just been asked in vain.

        `ip`: of who shows it; nobody there uses up what others may ask.
        """
        ...

    async def look(self, digest: bytes, ip: str) -> Credential | None:
        """Ask the database: another process may have issued it a moment ago.

        Raises StateError where it cannot say.
        """
        ...

    def unwelcome(self, email: str, credential: str, now: float) -> str | None:
        """Why this person is not let in with any, or with this credential (its id); a sentence.

        None: he may be.
        """
        ...

    def stopped(self, kind: StopKind, target: str, now: float) -> Stop | None: ...

    def lease(self, digest: bytes, email: str, credential: Credential | None) -> Lease:
        """The same for the same credential, while it has not ended. None: a key of the file."""
        ...

    def acting(self, principal: Principal, credential: Credential) -> Principal:
        """Who acts with it: held to its scopes, where it has any. The same one for the same."""
        ...


class NobodyElse:
    """A `Live` without a database: all there is are the keys of the file."""

    until = inf

    def __init__(self) -> None:
        self._leases: dict[bytes, Lease] = {}

    def find(self, digest: bytes) -> Credential | None:  # noqa: ARG002 -- as the port has it
        return None

    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool:  # noqa: ARG002 -- as above
        return False

    async def look(self, digest: bytes, ip: str) -> Credential | None:  # noqa: ARG002 -- as above
        return self.find(digest)

    def unwelcome(self, email: str, credential: str, now: float) -> str | None:  # noqa: ARG002 -- as above
        return None

    def stopped(self, kind: StopKind, target: str, now: float) -> Stop | None:  # noqa: ARG002 -- as above
        return None

    def lease(self, digest: bytes, email: str, credential: Credential | None) -> Lease:  # noqa: ARG002 -- as above
        until = inf if credential is None or credential.expires is None else credential.expires
        return self._leases.setdefault(digest, Lease(until))

    def acting(self, principal: Principal, credential: Credential) -> Principal:  # noqa: ARG002 -- as above
        return principal
