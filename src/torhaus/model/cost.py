"""What upstream calls cost."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from torhaus.model.names import normal


class Price(msgspec.Struct, frozen=True):
    """For one upstream call. `currency`: an ISO 4217 code."""

    amount: Decimal
    currency: str


class SpendingCap(msgspec.Struct, frozen=True, kw_only=True):
    """A monthly budget. `alert`: the share of it (0 to 1) at which people are told.

    `stop`: calls that cost something are refused once it is spent.
    """

    amount: Decimal
    currency: str
    alert: Decimal = Decimal("0.8")
    stop: bool = False


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """`servers`: server -> price; `tools`: (server, normalised tool name) -> price.

    `caps`: server -> its budget, `*` for all servers together.
    """

    servers: Mapping[str, Price] = {}
    tools: Mapping[tuple[str, str], Price] = {}
    caps: Mapping[str, SpendingCap] = {}

    def price(self, server: str, tool: str) -> Price | None:
        if self.tools:
            found = self.tools.get((server, normal(tool)))
            if found is not None:
                return found
        return self.servers.get(server)


NO_COSTS = Costs()
