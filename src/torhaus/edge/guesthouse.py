"""Somebody in front of many servers: at each door of theirs, and while he listens to them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import Door, params, trace
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.fronts import Front
from torhaus.gate.aggregate.guests import Guest
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.views import View
from torhaus.policy.classify import NOTHING


class Guesthouse(msgspec.Struct, frozen=True, gc=False):
    """A known caller in front of many servers."""

    exchange: Exchange
    visitor: Visitor
    view: View
    rules: Rules

    @property
    def caller(self) -> Principal:
        return self.visitor.principal

    def door(self, server: Server) -> Door:
        """The same caller in front of one of them."""
        return Door(self.exchange, self.visitor, server)

    def guest(self, era: Era, client: str, front: Front | None = None, **more: Any) -> Guest:
        """Raises CallerError for headers that are none."""
        exchange = self.exchange
        head = exchange.head
        if head.trace is None:
            head.trace = trace(head)
        return Guest(
            caller=self.caller,
            view=self.view,
            era=era,
            ip=exchange.peer.ip,
            visit=self.door,
            front=front,
            key=self.visitor.key,
            client=client,
            trace=head.trace,
            shown=self.visitor.shown,
            headers=params(exchange) if era is Era.MODERN else (),
            **more,
        )


class Standing(msgspec.Struct, frozen=True):
    """Somebody who listens to many servers. `client`: the name his client gives itself."""

    house: Guesthouse
    front: Front
    client: str

    @property
    def visitor(self) -> Visitor:
        return self.house.visitor

    def may(
        self, server: Server, now: float, rules: Rules, wanted: Mapping[str, Any] = NOTHING
    ) -> bool:
        """Whether he may listen to this one of them now, and here, for what he wants to hear."""
        view = rules.views.get(self.house.view.name)
        if view is None or view.pick(server.name) is None:
            return False
        door = self.house.door(server).used_by(self.client, params=wanted)
        found = door.renewed(rules, now)
        return found is not None and door.barred(*found, now) is None

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether he may be here at all; he stops hearing those he may not listen to."""
        self.front.recheck()
        caller = self.house.visitor.renewed(rules)
        if caller is None or self.house.visitor.over(now):
            return False
        if caller.expires is not None and caller.expires <= now:
            return False
        return self.house.view.name in rules.views
