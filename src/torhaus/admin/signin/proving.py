"""Whether somebody has proved who he is lately, and how he does it once more."""

from collections.abc import Callable

from torhaus.admin.signin.acts import LOCAL
from torhaus.model.desk import Office


class Proving:
    """A session alone is not enough for what outlasts it: whoever finds one open could make it.

    `within`: seconds the last proof may be old; 0 where nobody is asked. `clock`: Unix seconds.
    """

    def __init__(
        self, office: Office, within: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._office = office
        self._within = within
        self._clock = clock

    async def lately(self, session: str) -> bool:
        """Whether the owner of this session has. Raises StateError."""
        within = self._within()
        if not within:
            return True
        async with self._office.read() as desk:
            family = await desk.families.get(session)
        proved = None if family is None else family.proved
        return proved is not None and self._recent(proved)

    def signed_in_lately(self, began: float) -> bool:
        """Whether a session is that young, however its owner came in."""
        return not self._within() or self._recent(began)

    async def way(self, session: str) -> str | None:
        """The provider by which its owner came in; LOCAL for a password here. Raises StateError.

        None where nobody knows any more.
        """
        async with self._office.read() as desk:
            family = await desk.families.get(session)
            if family is None or family.issuer is None:
                return None
            if family.issuer == LOCAL:
                return LOCAL
            link = await desk.identities.get(family.issuer, family.subject or "")
        return None if link is None else link.provider

    def _recent(self, moment: float) -> bool:
        return 0 <= self._clock() - moment < self._within()
