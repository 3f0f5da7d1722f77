"""A live index that the tests tell what to know."""

from typing import Any

from tests.torhaus.cast import ALICE
from torhaus.identity.keys import digest, mint
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.live import NobodyElse
from torhaus.model.ports import StateError

TOKEN = mint(b"t" * 32, "tht_")
OTHER = mint(b"o" * 32, "tht_")


def token(**more: Any) -> Credential:
    base: dict[str, Any] = {"kind": CredentialKind.ACCESS, "id": "t1", "family": "f1"}
    return Credential(
        **{"digest": digest(TOKEN), "email": ALICE.id, "audience": "", **base, **more}
    )


class Lively(NobodyElse):
    """`elsewhere`: what the database has that is not known here yet. `asked`: how often.

    `silent`: it does not answer.
    """

    def __init__(self, *known: Credential) -> None:
        super().__init__()
        self.known = {each.digest: each for each in known}
        self.elsewhere: dict[bytes, Credential] = {}
        self.asked = 0
        self.silent = False
        self.why: str | None = None

    def find(self, digest: bytes) -> Credential | None:
        return self.known.get(digest)

    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool:
        return self.asked == 0

    async def look(self, digest: bytes, ip: str) -> Credential | None:
        self.asked += 1
        if self.silent:
            raise StateError("it took too long")
        if digest in self.elsewhere:
            self.known[digest] = self.elsewhere[digest]
        return self.find(digest)

    def unwelcome(self, email: str, credential: str, now: float) -> str | None:
        return self.why

    def end(self, credential: Credential) -> None:
        del self.known[credential.digest]
        self.end_lease(credential.digest)

    def end_lease(self, digest: bytes) -> None:
        self._leases.pop(digest).end()
