"""What the handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torhaus.admin.acts import Refusal
from torhaus.admin.perform import Admin
from torhaus.admin.views import Books, View
from torhaus.api.door import Caller
from torhaus.api.problems import ProblemError, refused
from torhaus.model.rules import Rules
from torhaus.policy.approvers import may_administer

MOST = 200
"""Things in one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstage:
    """`clock`: Unix seconds."""

    admin: Admin
    books: Books
    rules: Callable[[], Rules]
    clock: Callable[[], float]

    def view(self, caller: Caller) -> View:
        return self.books.view(caller.principal, self.clock())

    def governing(self, caller: Caller, server: str) -> None:
        """Raises ProblemError unless the caller administers the server."""
        why = may_administer(caller.principal, server, self.clock())
        if why is not None:
            raise ProblemError(403, "not_allowed", why)

    async def act(self, caller: Caller, act: Any) -> Any:
        """The result. Raises ProblemError where it is refused."""
        found = await self.admin.perform(caller.principal, act, caller.ip)
        if isinstance(found, Refusal):
            raise refused(found)
        return found.result
