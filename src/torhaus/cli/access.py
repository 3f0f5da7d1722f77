"""`torhaus access`: roles for a while, asked for and granted."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import shown
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.config.amounts import seconds
from torhaus.config.problems import FaultError

COLOURS = {"pending": "yellow", "approved": "green", "in force": "green", "denied": "red"}

Id = Annotated[str, typer.Argument(help="The request's id.")]
GrantId = Annotated[str, typer.Argument(help="The grant's id.")]
Comment = Annotated[str, typer.Option(help="For the requester and the record.")]


def request(
    *,
    role: Annotated[str, typer.Option(help="Which role.")],
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 30m, 4h, 2d; up to 90d.")
    ] = "4h",
    reason: Annotated[str, typer.Option(help="For whoever decides.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Ask for a role for a while."""
    try:
        lasting = seconds(duration)
    except FaultError as error:
        misused(f"--for: {error.message}: {error.fix}")
    body = {"role": role, "seconds": lasting, "reason": reason}
    found = asked(lambda at: at.post("access-requests", body=body), url, key)
    if json:
        say_json(found)
        return
    say(f"Asked for {printable(role)}: {found['id']}. It waits until {shown(found['expires'])}.")


def list_(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Requests for access, and grants: yours, and those of roles you administer."""

    def both(at: Any) -> dict[str, Any]:
        return {"requests": at.get("access-requests"), "grants": at.get("grants")}

    found = asked(both, url, key)
    if json:
        say_json(found)
        return
    if not found["requests"] and not found["grants"]:
        say("No requests for access and no temporary access.")
    if found["requests"]:
        say("Requests", "bold")
        say(columns([_request(each) for each in found["requests"]], indent=2))
    if found["grants"]:
        say("Temporary access", "bold")
        say(columns([_grant(each) for each in found["grants"]], indent=2))


def approve(
    *,
    id: Id,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The end, as 2026-01-31T18:00+01:00; else as asked."),
    ] = None,
    comment: Comment = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Grant what was asked for, from now on."""
    body: dict[str, Any] = {"comment": comment}
    if until is not None:
        body["until"] = _moment(until)
    found = asked(lambda at: at.post("access-requests", id, "approve", body=body), url, key)
    _decided(found, json=json)


def deny(
    *, id: Id, comment: Comment = "", url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Say no to a request for access."""
    body = {"comment": comment}
    found = asked(lambda at: at.post("access-requests", id, "deny", body=body), url, key)
    _decided(found, json=json)


def revoke(*, id: GrantId, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """End temporary access now."""
    found = asked(lambda at: at.delete("grants", id), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['role']} of {found['user']} has ended."))


def _moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        misused("--until is a time such as 2026-01-31T18:00+01:00")
    return (found if found.tzinfo is not None else found.astimezone()).isoformat()


def _decided(found: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(found)
        return
    say(printable(f"{found['role']} for {found['requester']}: {found['state']}."))


def _request(found: dict[str, Any]) -> list[str | Text]:
    return [
        found["id"],
        _coloured(found["state"]),
        found["requester"],
        found["role"],
        _lasting(found["seconds"]),
        "you may decide" if found["can_decide"] else found["reason"],
    ]


def _grant(found: dict[str, Any]) -> list[str | Text]:
    state = "in force" if found["in_force"] else "revoked" if found["revoked_at"] else "not now"
    return [
        found["id"],
        _coloured(state),
        found["user"],
        found["role"],
        f"until {shown(found['ends'])}" if found["ends"] else "for ever",
        "" if found["source"] == "database" else "in the file",
    ]


def _coloured(state: str) -> Text:
    return Text(state, COLOURS.get(state, "dim"))


def _lasting(amount: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if amount >= size and amount % size == 0:
            return f"{amount / size:.0f}{unit}"
    return f"{amount:.0f}s"
