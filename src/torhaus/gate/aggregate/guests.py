"""A caller in front of many servers, and his requests to one of them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.gate.aggregate.fronts import Front, Fronts
from torhaus.gate.calls import Asking, Visit
from torhaus.mcp.eras import PREFIX
from torhaus.mcp.extensions import in_front_of_many
from torhaus.mcp.message import Request, encode
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.model.views import View
from torhaus.policy.visible import may_use

NOTHING: Mapping[str, Any] = {}
CLIENT_INFO = PREFIX + "clientInfo"


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, how, and what stands before him. `front` is None in the modern era.

    `meta`: what a modern request says of its client. `client`: the name it gives itself.
    `visit`: he at the door of one server. `headers`: `Mcp-Param-*` pairs. `shown`: what records
    call the credential he came with.
    """

    caller: Principal
    view: View
    era: Era
    ip: str
    visit: Callable[[Server], Visit]
    front: Front | None = None
    key: bytes | None = None
    client: str = ""
    trace: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    meta: Mapping[str, Any] = NOTHING
    shown: str = ""

    def session(self, fronts: Fronts, server: Server) -> Session | None:
        return None if self.front is None else fronts.member(self.front, server)

    def asking(
        self,
        request: Request,
        server: Server,
        session: Session | None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Asking:
        """The server's own request, as it stands at the gate."""
        return Asking(
            request=request,
            caller=self.caller,
            server=server,
            era=self.era,
            ip=self.ip,
            session=session,
            headers=headers,
            key=self.key,
            visit=self.visit(server),
            trace=self.trace,
            shown=self.shown,
            among=True,
        )

    def own(self, id: str, method: str, params: Mapping[str, Any]) -> Request:
        """A request that the gateway makes on his behalf."""
        whole = dict(params)
        if self.era is Era.MODERN:
            whole["_meta"] = self.envelope()
        return Request(encode(id), method, whole, encode(whole) if whole else b"")

    def envelope(self) -> dict[str, Any]:
        """What every modern request carries: of the client's own, or in its name."""
        kept = {name: self.meta[name] for name in (CLIENT_INFO,) if name in self.meta}
        able = in_front_of_many(self.meta.get(CAPABILITIES_KEY), legacy=False)
        return {VERSION_KEY: MODERN, CAPABILITIES_KEY: able, **kept}

    def servers(self, rules: Rules, now: float) -> list[Server]:
        """Those he may use, as far as they stand here, in the configuration's order."""
        return [
            server
            for server in rules.servers.values()
            if self.view.pick(server.name) is not None and may_use(self.caller, server, now)
        ]
