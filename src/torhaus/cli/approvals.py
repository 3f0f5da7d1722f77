"""`torhaus approvals`: calls that wait for somebody to agree."""

import json as text_json
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import shown
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

STATES = ("pending", "approved", "denied", "used", "expired", "cancelled")
COLOURS = {"pending": "yellow", "approved": "green", "used": "green", "denied": "red"}

Id = Annotated[str, typer.Argument(help="The request's id.")]
Comment = Annotated[str, typer.Option(help="For the requester and the record.")]


def list_(
    *,
    state: Annotated[
        str | None, typer.Option(help=f"Only those that are {', '.join(STATES)}.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Requests for approval: yours, and those you may decide; the newest first."""
    if state is not None and state not in STATES:
        misused(f"--state is one of {', '.join(STATES)}")
    found = asked(lambda at: at.get("approvals", state=state, limit=limit), url, key)
    if json:
        say_json(found)
        return
    if not found:
        say("No requests for approval.")
        return
    say(columns([_row(each) for each in found]))
    waiting = sum(1 for each in found if each["can_decide"])
    if waiting:
        say(f"\n{waiting} for you: torhaus approvals show ID, then approve or deny.")


def show(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """One request, with the call's arguments."""
    _tell(asked(lambda at: at.get("approvals", id), url, key), json=json)


def approve(
    *, id: Id, comment: Comment = "", url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Agree to exactly this call, once."""
    _decide("approve", id, comment, url, key, json=json)


def deny(
    *, id: Id, comment: Comment = "", url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Say no to a call."""
    _decide("deny", id, comment, url, key, json=json)


def cancel(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Withdraw your own request, or take an approval back as administrator."""
    _short(asked(lambda at: at.post("approvals", id, "cancel"), url, key), json=json)


def _decide(verb: str, id: str, comment: str, url: str, key: str | None, *, json: bool) -> None:
    body = {"comment": comment}
    _short(asked(lambda at: at.post("approvals", id, verb, body=body), url, key), json=json)


def _short(found: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(found)
        return
    call = f"{found['server']}.{found['tool']} for {found['requester']}"
    say(f"{printable(call)}: {found['state']}.")


def _row(found: dict[str, Any]) -> list[str | Text]:
    return [
        found["id"],
        Text(found["state"], COLOURS.get(found["state"], "dim")),
        f"{found['server']}.{found['tool']}",
        found["requester"],
        f"until {shown(found['expires'])}",
        "you may decide" if found["can_decide"] else "",
    ]


def _tell(found: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(found)
        return
    rows = [
        ("id", found["id"]),
        ("state", found["state"]),
        ("call", f"{found['server']}.{found['tool']}"),
        ("requester", found["requester"]),
        ("asked for by", found["policy"]),
        ("reason", found["reason"]),
        ("asked", found["created"]),
        ("expires", found["expires"]),
        ("decided by", found["decided_by"]),
        ("comment", found["comment"]),
    ]
    say(columns([[Text(name, "dim"), value] for name, value in rows if value]))
    arguments = found["arguments"]
    if not isinstance(arguments, str):
        arguments = text_json.dumps(arguments, indent=2, ensure_ascii=False)
    say()
    say(printable(arguments))
    if found["can_decide"]:
        say(f"\nYou may decide: torhaus approvals approve|deny {found['id']}")
