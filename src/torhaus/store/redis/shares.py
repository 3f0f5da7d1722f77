"""What one of several gateways may allow while it counts alone."""

import msgspec

from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.servers import Window


def part(budget: Budget, gateways: int) -> Budget:
    """This gateway's share of a budget, rounded down; one use where it would be none.

    A budget of nothing stays one.
    """
    match budget:
        case Window(requests, seconds):
            return Window(_part(requests, gateways), seconds)
        case Pace(requests, seconds, burst):
            return Pace(requests, seconds * gateways, _part(burst, gateways))
        case Slots(calls, lease):
            return Slots(_part(calls, gateways), lease)
        case Quota(amount):
            return msgspec.structs.replace(budget, amount=_part(amount, gateways))
        case Seats():
            # Who has a seat keeps it; how many are free is not known, so a part of them is.
            return msgspec.structs.replace(budget, users=_part(budget.users, gateways))


def _part(whole: int, gateways: int) -> int:
    return whole if gateways <= 1 or whole <= 0 else max(1, whole // gateways)
