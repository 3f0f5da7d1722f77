"""What administrative acts need of the state database: one transaction, and what it can change.

Every method raises StateError when the database cannot answer. Times are Unix seconds and, like
ids, come from the caller.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from torhaus.model.accounts import (
    DepartureDesk,
    IdentityDesk,
    InvitationDesk,
    PasswordDesk,
    SeenDesk,
)
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.credentials import CredentialDesk, FamilyDesk, RevisionDesk
from torhaus.model.grant import AccessRequest, Asked, Grant, Granted
from torhaus.model.oauth import ClientDesk, CodeDesk, RefreshDesk
from torhaus.model.person import PersonDesk, TeamDesk
from torhaus.model.pins import ToolDesk
from torhaus.model.provisioning import ProvisionedDesk
from torhaus.model.rings import RingDesk
from torhaus.model.stops import StopDesk
from torhaus.model.usage import UsageDesk
from torhaus.model.vault import VaultDesk


class ApprovalDesk(Protocol):
    """Requests for approval of calls."""

    async def open(self, wanted: Wanted) -> Approval | None:
        """The pending or approved request for exactly this call, requester and policy version.

        It may be overdue.
        """
        ...

    async def denied(self, wanted: Wanted, now: float) -> Approval | None:
        """The request for exactly this call, requester and policy version that was denied.

        Only while it would not have expired.
        """
        ...

    async def add(self, approval: Approval) -> bool:
        """False, and nothing added, when an open request for the same call stands already."""
        ...

    async def waiting(self, requester: str, now: float) -> int:
        """How many of a requester's own are pending."""
        ...

    async def given_up(self, requester: str, since: float) -> int:
        """How many of a requester's own that were made since then are cancelled."""
        ...

    async def take(self, id: str, wanted: Wanted, now: float) -> bool:
        """From approved to used, if it is for exactly this call, requester and policy version.

        Compare and set: of any number of takers, in any number of processes, one gets True.
        """
        ...

    async def get(self, id: str) -> Approval | None: ...

    async def newest(
        self, state: State | None, most: int, before: float | None = None
    ) -> list[Approval]:
        """The newest first; of those made before `before` where given."""
        ...

    async def of(self, email: str) -> list[Approval]:
        """Those of one person that are pending or approved."""
        ...

    async def decide(self, id: str, state: State, by: str, comment: str, now: float) -> bool:
        """From pending to `state`. False when it is not pending any more, or its time is over."""
        ...

    async def move(self, id: str, old: State, new: State) -> bool:
        """Compare and set. False when it is not in state `old` any more."""
        ...

    async def overdue(self, now: float, most: int) -> list[Approval]:
        """Open requests whose time is over."""
        ...

    async def those(self, ids: Sequence[str]) -> list[Approval]: ...
    async def forget(self, before: float) -> None:
        """Those that are not open any more and whose time was over by then."""
        ...


class AccessDesk(Protocol):
    """Requests for access, and grants."""

    async def add_request(self, request: AccessRequest) -> None: ...
    async def request(self, id: str) -> AccessRequest | None: ...
    async def requests(self, state: Asked | None, most: int) -> list[AccessRequest]:
        """The newest first."""
        ...

    async def decide_request(self, request: AccessRequest) -> bool:
        """Keep what was decided. False when the request is not pending any more."""
        ...

    async def overdue(self, now: float, most: int) -> list[AccessRequest]:
        """Pending requests whose time is over."""
        ...

    async def forget(self, before: float) -> None:
        """Requests that are not pending any more and whose time was over by then."""
        ...

    async def add_grant(self, granted: Granted) -> None: ...
    async def grant(self, id: str) -> Granted | None: ...
    async def grants(self, most: int) -> list[Granted]:
        """Every one that ever was, the newest first."""
        ...

    async def in_force(self, now: float) -> list[Grant]:
        """Grants that are neither revoked nor over, by id; also those that have not begun."""
        ...

    async def revoke(self, id: str, by: str, now: float) -> bool:
        """False when it was revoked or over already."""
        ...

    async def tell_once(self, key: str, now: float) -> bool:
        """True for the first who asks, over all processes, for ever."""
        ...


class Desk(Protocol):
    """One transaction. What is done here is kept when its context ends without an exception."""

    @property
    def approvals(self) -> ApprovalDesk: ...
    @property
    def access(self) -> AccessDesk: ...
    @property
    def tools(self) -> ToolDesk: ...
    @property
    def usage(self) -> UsageDesk: ...
    @property
    def identities(self) -> IdentityDesk: ...
    @property
    def passwords(self) -> PasswordDesk: ...
    @property
    def departures(self) -> DepartureDesk: ...
    @property
    def seen(self) -> SeenDesk: ...
    @property
    def invitations(self) -> InvitationDesk: ...
    @property
    def provisioned(self) -> ProvisionedDesk: ...
    @property
    def persons(self) -> PersonDesk: ...
    @property
    def teams(self) -> TeamDesk: ...
    @property
    def credentials(self) -> CredentialDesk: ...
    @property
    def families(self) -> FamilyDesk: ...
    @property
    def stops(self) -> StopDesk: ...
    @property
    def revisions(self) -> RevisionDesk: ...
    @property
    def vault(self) -> VaultDesk: ...
    @property
    def rings(self) -> RingDesk: ...
    @property
    def clients(self) -> ClientDesk: ...
    @property
    def codes(self) -> CodeDesk: ...
    @property
    def refreshes(self) -> RefreshDesk: ...


class Office(Protocol):
    """Opens desks. Never from a drive: a desk needs a task."""

    def write(self) -> AbstractAsyncContextManager[Desk]: ...
    def read(self) -> AbstractAsyncContextManager[Desk]: ...
