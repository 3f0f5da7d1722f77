"""The shape of `cost_tracking`: what calls cost, and how much may be spent."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line

_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
_MONEY = re.compile(
    r"(?P<before>[€$£¥]|[A-Z]{3})? ?(?P<amount>[0-9]{1,12}(?:[.,][0-9]{1,9})?) ?"
    r"(?P<after>[€$£¥]|[A-Z]{3})?"
)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%")


def money(value: object) -> tuple[Decimal, str]:
    """`0.001 €`, `0,001 EUR`, `$0.01`: an amount and one currency."""
    found = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if found is None or bool(found["before"]) == bool(found["after"]):
        raise FaultError("this is not an amount of money", "write 0.001 € or 0.001 EUR")
    if _THOUSANDS.fullmatch(found["amount"]):
        raise FaultError(
            "this can be read as thousands, or as a fraction", "write 1000 € or 1.00 €"
        )
    sign = found["before"] or found["after"]
    return Decimal(found["amount"].replace(",", ".")), _SIGNS.get(sign, sign)


def share(value: object) -> Decimal:
    """`80%`, or 0.8."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return Decimal(str(value))
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < Decimal(found[1]) <= 100:
        raise FaultError("this is not a share", "write 80% or 0.8")
    return Decimal(found[1]) / 100


Money = Annotated[
    tuple[Decimal, str],
    BeforeValidator(money),
    WithJsonSchema({"type": "string", "examples": ["0.001 €"]}),
]
Share = Annotated[
    Decimal,
    BeforeValidator(share),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "examples": ["80%"]}]}),
]


class CostSpec(Shape):
    """What calls of one server cost. Only calls that reach the server cost anything."""

    provider: Line
    """The server's name; * for a budget over all servers."""
    cost_per_api_call: Money | None = None
    """Such as 0.001 €."""
    tools: dict[Line, Money] = Field(default_factory=dict)
    """Tools with a price of their own."""
    monthly_budget: Money | None = None
    """Such as 100 €, for a calendar month in server.timezone."""
    alert_at: Share = Decimal("0.8")
    """At which share of the budget people are told, such as 80%."""
    hard_stop: bool = False
    """Refuses calls that cost something once the budget is spent."""
