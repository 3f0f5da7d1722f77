"""Local accounts: slow hashes of passwords, off the event loop."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY, PASSES, LANES = 64 * 1024, 3, 4
"""KiB, passes and lanes of argon2id: the second choice of RFC 9106 4; about 0.15 s."""
AT_ONCE = 2
"""Hashes at a time: each takes 64 MiB, and calls need the other cores."""
LONGEST = 1024
"""Characters of a password that are looked at; more are refused before any work."""


class Argon2:
    """A `Hasher`. `memory`, `passes`, `lanes`: argon2id's, and those of the dummy as well."""

    def __init__(self, memory: int = MEMORY, passes: int = PASSES, lanes: int = LANES) -> None:
        self._hasher: Final = PasswordHasher(
            time_cost=passes, memory_cost=memory, parallelism=lanes, hash_len=32, salt_len=16
        )
        self._turns: Final = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Raises ValueError for a password that is longer than any that is looked at."""
        if len(password) > LONGEST:
            raise ValueError("the password is too long")
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, hash: str | None, password: str) -> bool:
        """As much work for an unknown account as for a known one: time must not tell them apart."""
        if len(password) > LONGEST:
            return False
        if self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        async with self._turns:
            same = await asyncio.to_thread(self._same, hash or self._nobody, password)
        return same and hash is not None

    def _same(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False
