"""Signing out: here, at the identity provider too, and because the provider says so."""

from collections.abc import Callable, Mapping

import structlog

from torhaus.admin.acts import Refusal
from torhaus.admin.signin.acts import ProviderSignOut, SignOut
from torhaus.admin.signin.entering import Entering
from torhaus.admin.signin.travelling import Travelling
from torhaus.model.people import Principal
from torhaus.model.signin import Parting, Redirecting, SignInError

log = structlog.get_logger()


class Leaving:
    """`providers`: by name, those of the rules in force."""

    def __init__(
        self,
        entering: Entering,
        travelling: Travelling,
        providers: Callable[[], Mapping[str, Redirecting]],
    ) -> None:
        self._entering = entering
        self._travelling = travelling
        self._providers = providers

    async def sign_out(
        self, who: Principal, family: str, cookie: str, ip: str, return_to: str
    ) -> str | None:
        """End the session. Where the browser goes to sign out at the provider, if it can.

        Raises StateError and LedgerError, and then the session goes on.
        """
        await self._entering.admin.perform(who, SignOut(family), ip)
        kept = await self._travelling.hint(cookie)
        if kept is None:
            return None
        provider = self._providers().get(kept[0])
        if not isinstance(provider, Parting):
            return None
        return await provider.farewell(kept[1], return_to, self._entering.means.clock())

    async def told(self, name: str, token: str, ip: str) -> bool:
        """A provider's back-channel logout. False when the token does not count, or not again.

        Raises StateError and LedgerError.
        """
        provider = self._providers().get(name)
        if not isinstance(provider, Parting):
            return False
        try:
            out = await provider.logged_out(token, self._entering.means.clock())
        except SignInError as error:
            log.warning("signout.refused", provider=name, detail=error.detail)
            return False
        act = ProviderSignOut(out.issuer, name, out.id, out.expires, out.subject, out.session)
        actor = Principal(id=f"idp:{name}", email=f"idp:{name}")
        return not isinstance(await self._entering.admin.perform(actor, act, ip), Refusal)
