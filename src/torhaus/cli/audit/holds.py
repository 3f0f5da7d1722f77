"""`torhaus audit holds`: days of which nothing is deleted."""

from typing import Annotated, Any

import typer

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.output import columns, printable, say, say_json
from torhaus.cli.reading import AsJson

First = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day: 2025-10-20.")]
Last = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, included.")]
Reason = Annotated[str, typer.Option("--reason", help="Which case it is for; for the record.")]
Why = Annotated[str, typer.Option("--reason", help="Why it may end; for the record.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The hold's id.")]


def list_(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Show the legal holds in force."""
    found = asked(lambda at: at.get("audit", "holds"), url, key)
    if json:
        say_json(found)
    elif not found:
        say("No legal holds: records end as audit_logs.retention says.")
    else:
        say(columns([HEAD, *(_row(each) for each in found)]))


HEAD = ("ID", "FROM", "TO", "BY", "REASON")


def add(
    *,
    first: First,
    last: Last,
    reason: Reason,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Keep every record of some days until the hold is released."""
    body = {"first_day": first, "last_day": last, "why": reason}
    found = asked(lambda at: at.post("audit", "holds", body=body), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['id']}: nothing of {_days(found)} is deleted until it is released."))


def release(
    *, id: Id, reason: Why, url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """End a legal hold: what is over its age is deleted again."""
    body = {"why": reason}
    found = asked(lambda at: at.post("audit", "holds", id, "release", body=body), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{_days(found)} may be deleted again, as audit_logs.retention says."))


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    return (found["id"], found["first_day"], found["last_day"], found["by"], found["why"])


def _days(found: dict[str, Any]) -> str:
    first, last = found["first_day"], found["last_day"]
    return str(first) if first == last else f"{first} to {last}"
