"""`torhaus limits`: what is left of one's budgets."""

from typing import Any

from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.output import columns, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.limits.words import long


def limits(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """What is left of each budget you draw on; those of single tools are not among them."""
    found = asked(lambda at: at.get("me", "limits"), url, key)
    if json:
        say_json(found)
        return
    if not found:
        say("No limits hold for you.")
        return
    say(columns([_row(each) for each in found]))


def _row(found: dict[str, Any]) -> list[str | Text]:
    left, reset = found["remaining"], found["reset"]
    return [
        found["limit"],
        Text(f"{left} left", "red" if left == 0 else "green"),
        f"more in {long(reset)}" if reset > 0 else "",
    ]
