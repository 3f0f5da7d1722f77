"""Gives somebody of the configuration a password, or a sign-in, before his gateway starts."""

import asyncio
import os
import time
from pathlib import Path

from torhaus.admin.safe import Safe
from torhaus.identity.jose import claimed
from torhaus.model.accounts import Password
from torhaus.model.vault import Content, Kept, VaultKind, identity_of
from torhaus.signin.local import Argon2
from torhaus.store.keyring import Ring
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice


def give_password(data: Path, email: str, password: str) -> None:
    """`data`: the gateway's data folder."""

    async def give() -> None:
        hashed = await Argon2(memory=8 * 1024, passes=1, lanes=1).hash(password)
        database = Database(None, data)
        await database.open()
        try:
            async with StateOffice(database).write() as desk:
                await desk.passwords.put(Password(email=email, hash=hashed))
        finally:
            await database.close()

    asyncio.run(give())


def give_identity(data: Path, email: str, provider: str, token: str) -> None:
    """As a sign-in at the provider leaves it, whose ID token this is."""
    said, now = claimed(token), time.time()
    kept = Kept(
        id="given",
        server=identity_of(provider),
        email=email,
        name=provider,
        kind=VaultKind.IDENTITY,
        key_id="",
        sealed=b"",
        issuer=str(said["iss"]),
        account=str(said["sub"]),
        created=now,
        created_by=email,
        rotated=now,
        expires=float(said["exp"]),
    )

    async def give() -> None:
        safe = Safe(Ring(data, {}, os.urandom).ring, os.urandom)
        database = Database(None, data)
        await database.open()
        try:
            async with StateOffice(database).write() as desk:
                key = await safe.key(desk, now)
                await desk.vault.add(safe.sealed(kept, Content(value=token), key))
        finally:
            await database.close()

    asyncio.run(give())
