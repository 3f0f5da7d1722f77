"""Keys, access tokens and cookies in the state database: their digests, never themselves."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.credentials import Credential, CredentialKind, Kept
from torhaus.store.state.persons import said, words
from torhaus.store.state.revisions import CREDENTIALS, bump
from torhaus.store.state.statements import insert, select

_CREDENTIAL = "digest, id, kind, email, family, label, audience, scopes, created, expires"
_KEPT = f"{_CREDENTIAL}, ip, used, ended, ended_by, revision"
_ADD = insert("credentials", f"{_CREDENTIAL}, ip, revision")
_GET = select("credentials", _KEPT, "digest = :digest")
_NAMED = select("credentials", _KEPT, "id = :id")
_OF = select("credentials", _KEPT, "email = :email ORDER BY created DESC, id")
_NEWEST = select("credentials", _KEPT, "kind = :kind ORDER BY created DESC, id LIMIT :most")
_LIVE = select("credentials", _CREDENTIAL, "ended IS NULL AND (expires IS NULL OR expires > :now)")
_LIVING = select(
    "credentials",
    _CREDENTIAL,
    "family = :family AND ended IS NULL AND (expires IS NULL OR expires > :now) "
    "ORDER BY created, id",
)
_FORGET = text("DELETE FROM credentials WHERE expires < :before AND kind <> 'key'")
_FORGET_KEYS = text(
    "DELETE FROM credentials WHERE kind = 'key' AND (ended < :before OR expires < :before)"
)
_SINCE = select("credentials", _KEPT, "revision > :revision ORDER BY revision")
_END = "UPDATE credentials SET ended = :now, ended_by = :by, revision = :revision "
_END_ONE = text(f"{_END} WHERE digest = :digest AND ended IS NULL RETURNING digest")
_END_ALL = text(f"{_END} WHERE email = :email AND ended IS NULL RETURNING digest")
_END_FAMILY = text(f"{_END} WHERE family = :family AND ended IS NULL RETURNING digest")
_USE = text(
    "UPDATE credentials SET used = :now WHERE digest = :digest AND (used IS NULL OR used < :now)"
)


class StateCredentials:
    """The `CredentialDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, credential: Credential, ip: str) -> None:
        values = {
            **msgspec.structs.asdict(credential),
            "kind": credential.kind.value,
            "scopes": said(credential.scopes),
            "ip": ip,
            "revision": await bump(self._connection, CREDENTIALS),
        }
        await self._connection.execute(_ADD, values)

    async def get(self, digest: bytes) -> Kept | None:
        found = (await self._connection.execute(_GET, {"digest": digest})).first()
        return None if found is None else _kept(found)

    async def named(self, id: str) -> Kept | None:
        found = (await self._connection.execute(_NAMED, {"id": id})).first()
        return None if found is None else _kept(found)

    async def of(self, email: str) -> list[Kept]:
        return [_kept(row) for row in await self._connection.execute(_OF, {"email": email})]

    async def newest(self, kind: CredentialKind, most: int) -> list[Kept]:
        values = {"kind": kind.value, "most": most}
        return [_kept(row) for row in await self._connection.execute(_NEWEST, values)]

    async def end(self, digest: bytes, by: str, now: float) -> bool:
        return bool(await self._ended(_END_ONE, by, now, {"digest": digest}))

    async def end_all(self, email: str, by: str, now: float) -> tuple[bytes, ...]:
        return await self._ended(_END_ALL, by, now, {"email": email})

    async def end_family(self, family: str, by: str, now: float) -> tuple[bytes, ...]:
        """Those that hang on a family and had not ended; their digests."""
        return await self._ended(_END_FAMILY, by, now, {"family": family})

    async def live(self, now: float) -> list[Credential]:
        return [_credential(row) for row in await self._connection.execute(_LIVE, {"now": now})]

    async def living(self, family: str, now: float) -> list[Credential]:
        values = {"family": family, "now": now}
        return [_credential(row) for row in await self._connection.execute(_LIVING, values)]

    async def forget(self, before: float) -> None:
        await self._connection.execute(_FORGET, {"before": before})

    async def forget_keys(self, before: float) -> None:
        await self._connection.execute(_FORGET_KEYS, {"before": before})

    async def since(self, revision: int) -> list[Kept]:
        rows = await self._connection.execute(_SINCE, {"revision": revision})
        return [_kept(row) for row in rows]

    async def use(self, used: Mapping[bytes, float]) -> None:
        # In one order everywhere, so that two processes cannot wait for each other's rows.
        values = [{"digest": digest, "now": used[digest]} for digest in sorted(used)]
        if values:
            await self._connection.execute(_USE, values)

    async def _ended(
        self, statement: Any, by: str, now: float, which: Mapping[str, Any]
    ) -> tuple[bytes, ...]:
        revision = await bump(self._connection, CREDENTIALS)
        values = {"by": by, "now": now, "revision": revision, **which}
        rows = await self._connection.execute(statement, values)
        return tuple(bytes(row.digest) for row in rows)


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        digest=bytes(row.digest),
        id=row.id,
        kind=CredentialKind(row.kind),
        email=row.email,
        family=row.family,
        label=row.label,
        audience=row.audience,
        scopes=words(row.scopes),
        created=row.created,
        expires=row.expires,
    )


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        credential=_credential(row),
        ip=row.ip,
        used=row.used,
        ended=row.ended,
        ended_by=row.ended_by,
        revision=row.revision,
    )
