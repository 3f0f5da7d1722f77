"""Sign-in with a name and a password of an LDAP directory or Active Directory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from torhaus.identity.addresses import address
from torhaus.model.providers import LdapProvider
from torhaus.model.signin import Identity, SignInError, UnaskedError
from torhaus.signin.ldap_directory import Directory, DirectoryError

AT_ONCE = 4
"""Questions at once: a slow directory must not take the process's threads."""
PATIENCE = 10.0
"""Seconds to wait for a turn."""
WRONG = "name or password is wrong"
LONGEST_NAME, LONGEST_PASSWORD = 256, 1024


class LdapSignIn:
    """The ports `Asking` and `Rechecking`, for one provider."""

    def __init__(self, provider: LdapProvider) -> None:
        self.name = provider.name
        self.label = provider.label
        self.issuer = f"ldap:{provider.name}"
        self.interval = provider.recheck
        self._directory = Directory(provider)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, user: str, password: str, now: float) -> Identity:
        if len(user) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
            raise SignInError(WRONG)
        async with _turn(self._turns, self.label):
            try:
                found = await asyncio.to_thread(self._directory.prove, user.strip(), password)
            except DirectoryError as error:
                raise self._unavailable(str(error)) from error
        if found is None:
            raise SignInError(WRONG, "no such person, or a wrong password")
        entry, groups = found
        return Identity(
            provider=self.name,
            issuer=self.issuer,
            subject=entry.subject,
            email=address(entry.email),
            name="".join(each for each in entry.name if each.isprintable()).strip()[:200],
            groups=groups,
            proved=now,
        )

    async def still(self, subject: str) -> tuple[str, ...] | None:
        async with _turn(self._turns, self.label):
            try:
                return await asyncio.to_thread(self._directory.still, subject)
            except DirectoryError as error:
                raise self._unavailable(str(error)) from error

    def _unavailable(self, detail: str) -> SignInError:
        return _unavailable(self.label, detail)


@asynccontextmanager
async def _turn(turns: asyncio.Semaphore, label: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            await turns.acquire()
    except TimeoutError as error:
        raise _unavailable(label, "too many are asking") from error
    try:
        yield
    finally:
        turns.release()


def _unavailable(label: str, detail: str) -> SignInError:
    return UnaskedError(label, detail)
