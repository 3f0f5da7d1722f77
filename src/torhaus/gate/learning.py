"""What a decision needs to know of a tool: whether its server lists it, and as what."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from torhaus.gate import calls
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import UNLISTED, Catalogue, Listed
from torhaus.gate.lists import UNREADABLE
from torhaus.gate.verdicts import Verdicts
from torhaus.model.call import Call
from torhaus.model.ports import UpstreamError, Upstreams
from torhaus.model.verdict import Deny, Verdict
from torhaus.policy.names import normal, words
from torhaus.policy.pins import unknown
from torhaus.policy.visible import boundless, may_use

MAX_NAME = 128
"""How much of an unknown tool's name is said back, in characters."""


@dataclass(slots=True, kw_only=True)
class Learning:
    """Owned by one event loop. `clock`: Unix seconds."""

    upstreams: Upstreams
    catalogue: Catalogue
    verdicts: Verdicts
    clock: Callable[[], float]
    ids: Callable[[], str]

    async def judged(
        self, asking: Asking, call: Call, listed: Listed | None, verdict: Verdict
    ) -> tuple[Call, Verdict]:
        """A call of a tool that is not known, or known not to be called.

        Raises UpstreamError when the server cannot list its tools, and nobody ever saw it do so.
        """
        if isinstance(verdict, Deny):
            # A refusal needs no look at the list, and somebody without rights gets none.
            if listed is None or listed is UNLISTED:
                call = msgspec.structs.replace(call, invented=True)
            usable = may_use(asking.caller, asking.server, self.clock())
            return call, _deny(call, listed) if usable and listed is not None else verdict
        now = self.clock()
        again = listed is UNLISTED and not self.catalogue.just_seen(asking.server, by(asking), now)
        if listed is None or again:
            await self._look(asking)
            listed = self.catalogue.find(asking.server, call.operation, self.clock()) or UNLISTED
        if listed.deny is not None:
            if listed is UNLISTED:
                call = msgspec.structs.replace(call, invented=True)
                if self._own_business(asking, call.operation):
                    return call, self.verdicts.decide(call, self.clock())
            return call, _deny(call, listed)
        call = msgspec.structs.replace(call, hints=listed.hints)
        return call, self.verdicts.decide(call, self.clock())

    def _own_business(self, asking: Asking, tool: str) -> bool:
        """Whether what the server makes of a name it does not list is between it and the caller.

        To whom every call is open, whatever it does, it does not matter what this one does. Any
        spelling of a tool that was ever pinned is no such name: that one may be withheld.
        """
        server = asking.server
        pinned = self.catalogue.pins.of(server.name)
        if not words(tool) or normal(tool) in {normal(each) for each in pinned}:
            return False
        access = asking.caller.phase(self.clock()).on(server.name)
        return server.drift_unlisted == "auto" and boundless(access)

    async def anew(self, asking: Asking, call: Call) -> tuple[Call, Verdict]:
        """A call that has waited, as catalogue and rules stand now. Raises UpstreamError."""
        verdict = self.verdicts.decide(call, self.clock())
        if call.method != "tools/call":
            return call, verdict
        listed = self.catalogue.find(asking.server, call.operation, self.clock())
        if listed is None or listed.deny is not None:
            return await self.judged(asking, call, listed, verdict)
        call = msgspec.structs.replace(call, hints=listed.hints)
        return call, self.verdicts.decide(call, self.clock())

    async def _look(self, asking: Asking) -> None:
        server = asking.server
        self.catalogue.looking(server, self.clock())
        try:
            pages = await calls.pages(self.upstreams.link(server), asking, self.ids)
            self.catalogue.learn(server, pages, self.clock(), by(asking))
        except (UpstreamError, *UNREADABLE) as error:
            if not self.catalogue.missed(server, self.clock()):
                if isinstance(error, UpstreamError):
                    raise
                raise UpstreamError("its list of tools cannot be read") from error


def by(asking: Asking) -> str:
    """Whose list it is: servers may list more in one session than in another."""
    return asking.caller.id if asking.session is None else asking.session.jti


def _deny(call: Call, listed: Listed) -> Deny:
    if listed is UNLISTED or listed.deny is None:
        name = call.operation
        return unknown(name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…")
    return listed.deny
