"""`cost_tracking` compiled: prices and budgets."""

from torhaus.config.costs import CostSpec
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, printable
from torhaus.config.words import Words
from torhaus.model.cost import NO_COSTS, Costs, Price, SpendingCap
from torhaus.model.names import normal


def costs(words: Words, file: File) -> Costs:
    """Mistakes go to the source's problems."""
    if not file.cost_tracking:
        return NO_COSTS
    prices: dict[str, Price] = {}
    tools: dict[tuple[str, str], Price] = {}
    caps: dict[str, SpendingCap] = {}
    seen: set[str] = set()
    currency = ""
    for index, spec in enumerate(file.cost_tracking):
        path: Path = ("cost_tracking", index)
        currency = _one_currency(words.source, path, spec, currency)
        _complete(words.source, path, spec)
        if not _known(words, path, spec):
            continue
        if spec.provider in seen:
            message = f"{printable(spec.provider)} is here twice"
            words.source.error((*path, "provider"), message, "keep one entry")
        seen.add(spec.provider)
        if spec.cost_per_api_call is not None:
            prices[spec.provider] = Price(*spec.cost_per_api_call)
        tools |= _tools(words, (*path, "tools"), spec)
        if spec.monthly_budget is not None:
            caps[spec.provider] = SpendingCap(
                amount=spec.monthly_budget[0],
                currency=spec.monthly_budget[1],
                alert=spec.alert_at,
                stop=spec.hard_stop,
            )
    if "*" in caps and not prices and not tools:
        message = "no server has a price, so that nothing is ever spent"
        words.source.warn(("cost_tracking",), message, "add cost_per_api_call: 0.001 €")
    return Costs(servers=prices, tools=tools, caps=caps)


def _complete(source: Source, path: Path, spec: CostSpec) -> None:
    """Prices and budgets that could never count."""
    priced = spec.cost_per_api_call is not None or spec.tools
    if spec.provider == "*":
        if priced:
            fix = "give each server its own cost_per_api_call"
            source.error(path, "* has a budget, and no price", fix)
    elif spec.monthly_budget is None and not priced:
        source.error(
            path, "there is neither a price nor a budget", "add cost_per_api_call: 0.001 €"
        )
        return
    elif not priced:
        message = "its calls have no price, so that nothing is ever spent"
        source.warn(path, message, "add cost_per_api_call: 0.001 €")
    if spec.monthly_budget is None and spec.model_fields_set & {"alert_at", "hard_stop"}:
        source.error(path, "there is no budget to tell or stop at", "add monthly_budget: 100 €")


def _known(words: Words, path: Path, spec: CostSpec) -> bool:
    # A misspelt budget would stop nobody; a misspelt price only leaves a gap in what is shown.
    here = (*path, "provider")
    return words.server(spec.provider, here, holds_back=spec.hard_stop)


def _tools(words: Words, path: Path, spec: CostSpec) -> dict[tuple[str, str], Price]:
    server = words.servers.get(spec.provider)
    found: dict[tuple[str, str], Price] = {}
    for name, price in spec.tools.items():
        key = (spec.provider, normal(name))
        if key in found:
            message = f"{printable(name)} has a price already, in another spelling"
            words.source.error((*path, name), message, "keep one of them")
        if server is not None and server.classes and key[1] not in server.classes:
            message = f"{spec.provider} has no tool {printable(name)!r} that Torhaus knows of"
            words.source.warn((*path, name), message, "check the name with `torhaus tools`")
        found[key] = Price(*price)
    return found


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
