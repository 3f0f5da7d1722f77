"""`/api/v1/credentials`: what servers are shown. Secrets come in here, and never go out."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field, SecretStr

from torhaus.admin.acts import Refusal
from torhaus.admin.rekeying import Rekeyed
from torhaus.admin.vaulting import (
    Changed,
    PutCredential,
    RemoveCredential,
    RollBackCredential,
    RotateCredential,
)
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Who
from torhaus.api.problems import ProblemError, refused
from torhaus.api.shapes import Given, Taken
from torhaus.audit.shape import timestamp
from torhaus.model.secret import Secret
from torhaus.model.vault import Kept, Rotation, VaultKind
from torhaus.policy.aging import rotate_by
from torhaus.policy.keepers import may_keep

ServerName = Annotated[str, Path(max_length=64, description="The server.")]
SecretIn = Annotated[
    SecretStr, Field(max_length=16384, description="The token, value or password. Never shown.")
]
Rows = Callable[[], Awaitable[Sequence[Kept]]]
Rekey = Callable[[Caller], Awaitable[Rekeyed | Refusal]]


class CredentialIn(Taken):
    """The first credential of a server."""

    kind: Annotated[VaultKind, Field(description="bearer, header or basic.")]
    secret: SecretIn
    username: Annotated[str, Field(max_length=256, description="For basic.")] = ""
    name: Annotated[str, Field(max_length=128, description="For header: the field's name.")] = ""


class RotationIn(Taken):
    """Another credential in the place of the one there is."""

    secret: SecretIn
    username: Annotated[
        str | None, Field(max_length=256, description="For basic; without it, as before.")
    ] = None


class CredentialOut(Given):
    """One credential, without anything that is secret."""

    id: str
    server: str
    user: Annotated[str | None, Field(description="Whose it is; null: everybody's.")]
    kind: VaultKind
    state: Annotated[str, Field(description="current, or previous beside it after a rotation.")]
    version: int
    header: Annotated[str | None, Field(description="For the kind header.")]
    issuer: str | None
    account: str | None
    created: str
    created_by: str
    rotated: str
    age_days: int
    expires: str | None
    rotate_by: Annotated[str | None, Field(description="When policy wants another one at last.")]
    trouble: str | None

    @classmethod
    def of(cls, kept: Kept, rotation: Rotation, now: float) -> "CredentialOut":
        end = rotate_by(kept, rotation)
        return cls(
            id=kept.id,
            server=kept.server,
            user=kept.email or None,
            kind=kept.kind,
            state=kept.state.value,
            version=kept.version,
            header=kept.name if kept.kind is VaultKind.HEADER else None,
            issuer=kept.issuer or None,
            account=kept.account or None,
            created=timestamp(kept.created),
            created_by=kept.created_by,
            rotated=timestamp(kept.rotated),
            age_days=int((now - kept.rotated) // 86400),
            expires=None if kept.expires is None else timestamp(kept.expires),
            rotate_by=None if end is None else timestamp(end),
            trouble=kept.trouble or None,
        )


class RemovedOut(Given):
    """What is kept no longer."""

    server: str
    user: str | None


class RekeyedOut(Given):
    """What became of the secrets."""

    key: Annotated[str, Field(description="Id of the key that seals from now on.")]
    wrapped: int
    lost: Annotated[list[str], Field(description="Credentials that did not open.")]
    unused: Annotated[list[str], Field(description="Ids of keys that nothing needs any more.")]


def router(backstage: Backstage, rows: Rows, rekey: Rekey) -> APIRouter:
    routes = APIRouter(prefix="/credentials", tags=["credentials"])

    @routes.get("")
    async def list_credentials(
        who: Who, server: Annotated[str | None, Query(max_length=64)] = None
    ) -> list[CredentialOut]:
        """Your own connections, and all of servers whose credentials you may change."""
        now = backstage.clock()
        found = [each for each in await rows() if server in (None, each.server)]
        policy = backstage.rules().rotation
        return [CredentialOut.of(each, policy, now) for each in found if _may_see(who, each, now)]

    @routes.post("/rekey")
    async def rekey_all(who: Who) -> RekeyedOut:
        """Seal every secret under a new key, or under the first one of TORHAUS_KEYS."""
        done = await rekey(who)
        if isinstance(done, Refusal):
            raise refused(done)
        return RekeyedOut(
            key=done.key, wrapped=done.wrapped, lost=list(done.lost), unused=list(done.unused)
        )

    @routes.post("/{server}")
    async def put_credential(server: ServerName, who: Who, given: CredentialIn) -> CredentialOut:
        """Keep the first credential of a server that has `auth: {type: stored}`."""
        act = PutCredential(
            server=server,
            kind=given.kind,
            secret=Secret(given.secret.get_secret_value()),
            username=given.username,
            name=given.name,
        )
        return _out(await backstage.act(who, act), backstage)

    _add_changes(routes, backstage)
    return routes


def _add_changes(routes: APIRouter, backstage: Backstage) -> None:
    @routes.post("/{server}/rotate")
    async def rotate_credential(server: ServerName, who: Who, given: RotationIn) -> CredentialOut:
        """Use another one; where it is refused, the former one is tried for a while."""
        secret = Secret(given.secret.get_secret_value())
        act = RotateCredential(server=server, secret=secret, username=given.username)
        return _out(await backstage.act(who, act), backstage)

    @routes.post("/{server}/rollback")
    async def roll_back_credential(server: ServerName, who: Who) -> CredentialOut:
        """Use the former one again."""
        return _out(await backstage.act(who, RollBackCredential(server)), backstage)

    @routes.delete("/{server}")
    async def remove_credential(
        server: ServerName,
        who: Who,
        user: Annotated[str, Query(max_length=254, description="Whose connection.")] = "",
    ) -> RemovedOut:
        """Forget a server's credential, or somebody's connection; your own without more."""
        done: Changed = await backstage.act(who, RemoveCredential(server, user.lower()))
        return RemovedOut(server=done.server, user=done.email or None)


def _may_see(who: Caller, kept: Kept, now: float) -> bool:
    own = bool(kept.email) and kept.email == who.principal.id
    return own or may_keep(who.principal, kept.server, now) is None


def _out(done: Changed, backstage: Backstage) -> CredentialOut:
    if done.current is None:
        raise ProblemError(404, "not_found", "there is nothing left")
    return CredentialOut.of(done.current, backstage.rules().rotation, backstage.clock())
