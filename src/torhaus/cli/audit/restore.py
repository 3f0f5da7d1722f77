"""`torhaus audit restore`: cold days, made fit for queries for a while."""

from typing import Annotated, Any

import typer

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import shown
from torhaus.cli.output import columns, counted, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="The first day: 2025-10-20.")
]
Last = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day, included.")]
Days = Annotated[int, typer.Option(min=1, max=365, metavar="N", help="How long they stay.")]


def restore(
    *,
    first: First = None,
    last: Last = None,
    days: Days = 7,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make cold records fit for queries, or show how far that is.

    With --from and --to it asks for days; out of GLACIER that takes hours. Without, it shows what
    was asked for, and until when it stays.
    """
    if first is None and last is None:
        _show(asked(lambda at: at.get("audit", "restores"), url, key), json=json)
        return
    if first is None or last is None:
        misused("--from and --to go together")
    body = {"first_day": first, "last_day": last, "days": days}
    found = asked(lambda at: at.post("audit", "restores", body=body), url, key)
    if json:
        say_json(found)
        return
    if not found["files"]:
        say("Nothing of these days is cold: they can be queried as they are.")
        return
    say(printable(f"{found['id']}: {_far(found)}, until {shown(found['until'])}."))


def _show(found: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        say_json(found)
    elif not found:
        say("Nothing is restored from cold storage.")
    else:
        say(columns([HEAD, *(_row(each) for each in found)]))


HEAD = ("ID", "FROM", "TO", "READY", "UNTIL", "BY")


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    return (
        found["id"],
        found["first_day"],
        found["last_day"],
        f"{found['ready']} of {found['files']}",
        shown(found["until"]),
        found["by"],
    )


def _far(found: dict[str, Any]) -> str:
    return f"{found['ready']} of {counted(found['files'], 'day file')} can be queried"
