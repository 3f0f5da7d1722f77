"""`cost_tracking` compiled: prices and budgets."""

from collections.abc import Mapping

from torhaus.config.costs import CostSpec
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.model.cost import NO_COSTS, Costs, Price, SpendingCap
from torhaus.model.names import normal
from torhaus.model.servers import Server


def costs(source: Source, file: File, servers: Mapping[str, Server]) -> Costs:
    """Mistakes go to `source.problems`."""
    if not file.cost_tracking:
        return NO_COSTS
    prices: dict[str, Price] = {}
    tools: dict[tuple[str, str], Price] = {}
    caps: dict[str, SpendingCap] = {}
    currency = ""
    for index, spec in enumerate(file.cost_tracking):
        path: Path = ("cost_tracking", index)
        currency = _one_currency(source, path, spec, currency)
        if not _known(source, path, spec, servers):
            continue
        if spec.provider in prices or spec.provider in caps:
            message = f"{printable(spec.provider)} is here twice"
            source.error((*path, "provider"), message, "keep one entry")
        if spec.cost_per_api_call is not None:
            prices[spec.provider] = Price(*spec.cost_per_api_call)
        tools |= {
            (spec.provider, normal(tool)): Price(*price) for tool, price in spec.tools.items()
        }
        if spec.monthly_budget is not None:
            caps[spec.provider] = SpendingCap(
                amount=spec.monthly_budget[0],
                currency=spec.monthly_budget[1],
                alert=spec.alert_at,
                stop=spec.hard_stop,
            )
        elif spec.model_fields_set & {"alert_at", "hard_stop"}:
            message = "there is no budget to tell or stop at"
            source.error(path, message, "add monthly_budget: 100 €")
    return Costs(servers=prices, tools=tools, caps=caps)


def _known(source: Source, path: Path, spec: CostSpec, servers: Mapping[str, Server]) -> bool:
    name = spec.provider
    if name == "*":
        if spec.cost_per_api_call is not None or spec.tools:
            message = "* has a budget, and no price"
            source.error(path, message, "give each server its own cost_per_api_call")
        return True
    if name in servers:
        return True
    close = meant(name, list(servers))
    fix = f"did you mean {close}?" if close else "add the server, or remove this"
    source.warn((*path, "provider"), f"no server {printable(name)!r} is configured", fix)
    return False


def _one_currency(source: Source, path: Path, spec: CostSpec, currency: str) -> str:
    """Sums over servers need one currency; nobody here knows exchange rates."""
    found = [
        (("cost_per_api_call",), spec.cost_per_api_call),
        (("monthly_budget",), spec.monthly_budget),
        *((("tools", tool), price) for tool, price in spec.tools.items()),
    ]
    for below, price in found:
        if price is None:
            continue
        if currency and price[1] != currency:
            message = f"{price[1]} beside {currency}: there is one currency for all"
            source.error((*path, *below), message, f"write it in {currency}")
        currency = currency or price[1]
    return currency
