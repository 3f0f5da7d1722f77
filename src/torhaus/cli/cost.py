"""`torhaus cost`: what calls have cost, and what the cache saved."""

import re
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

BY = ("server", "tool", "user", "role")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def cost(
    *,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="This month without it.")
    ] = None,
    by: Annotated[str, typer.Option(help=f"One line for each {', '.join(BY)}.")] = "server",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Calls, savings and money of one month: yours, and all on servers you administer."""
    if by not in BY:
        misused(f"--by is one of {', '.join(BY)}")
    if month is not None and _MONTH.fullmatch(month) is None:
        misused("--month is a year and a month, such as 2026-11")
    found = asked(lambda at: at.get("cost", month=month, by=by), url, key)
    if json:
        say_json(found)
        return
    if not found["lines"]:
        say(f"No calls in {found['month']}.")
    else:
        head = (printable(found["month"]), "calls", "saved", "", "spent", "not spent")
        rows = [_line(each) for each in found["lines"]]
        if len(rows) > 1:
            rows.append(_line({**found["total"], "name": "all"}))
        say(columns([[Text(name, "dim") for name in head], *rows]))
    if found["budgets"]:
        say()
        say(columns([_budget(each) for each in found["budgets"]]))


def _line(found: dict[str, Any]) -> list[str | Text]:
    calls, saved = found["calls"], found["saved"]
    whole = calls + saved
    return [
        found["name"] or "(none)",
        str(calls),
        str(saved),
        f"{saved / whole:.0%}" if whole else "",
        _money(found["spent"], found["currency"]),
        _money(found["kept"], found["currency"]),
    ]


def _budget(found: dict[str, Any]) -> list[str | Text]:
    share = found["share"]
    colour = "red" if share >= 1 else "yellow" if share >= 0.8 else "green"
    whose = "all servers" if found["server"] == "*" else found["server"]
    spent, budget = found["spent"], found["budget"]
    return [
        Text("budget", "dim"),
        whose,
        Text(f"{share:.0%}", colour),
        f"{spent} of {_money(budget, found['currency'])}",
        "stops calls when spent" if found["stops"] else "",
    ]


def _money(amount: str | None, currency: str | None) -> str:
    return "-" if amount is None else f"{amount} {currency}"
