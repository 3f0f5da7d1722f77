"""`torhaus users`: people and service accounts, and how their access ends."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Api, Key, Url, asked
from torhaus.cli.ending import ending, shown
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

COLOURS = {"active": "green", "suspended": "yellow", "invited": "yellow", "gone": "red"}
PAGE = 200
CLOSED = {
    "keys_of_file": ("key of the file", "keys of the file"),
    "accounts": ("link to an identity provider", "links to identity providers"),
    "approvals": ("request for approval", "requests for approval"),
    "connections": ("connection to a server", "connections to servers"),
    "consents": ("client that was let in", "clients that were let in"),
    "grants": ("role for a while", "roles for a while"),
    "invitations_sent": ("invitation sent by him", "invitations sent by him"),
    "requests": ("request for access", "requests for access"),
    "teams": ("membership in a team", "memberships in teams"),
}
"""What the API counts under these names, for one and for several."""

Email = Annotated[str, typer.Argument(help="The address.")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A role of the file; give it again for more.")
]
Servers = Annotated[
    str | None, typer.Option(metavar="A,B", help="The only servers; all that roles open without.")
]
Reason = Annotated[str, typer.Option(help="For the record.")]
Responsible = Annotated[
    str | None, typer.Option(metavar="EMAIL", help="Who answers for a service account.")
]
HandTo = Annotated[
    str,
    typer.Option(metavar="EMAIL", help="Who gets the service accounts; else they are suspended."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="As 2026-12-31T18:00+01:00.")]
For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="As 8h or 90d.")]


def list_(
    *,
    state: Annotated[
        str | None, typer.Option(help="Only active, suspended, invited or gone ones.")
    ] = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """People of the file and of the database."""
    found = asked(lambda at: _every(at, state), url, key)
    if json:
        say_json(found)
        return
    say(columns([_row(each) for each in found]) if found else "Nobody that you may see.")


def show(*, email: Email, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """One of them."""
    found = asked(lambda at: at.get("people", email), url, key)
    if json:
        say_json(found)
        return
    say(columns([[name, printable(_text(value))] for name, value in found.items()]))


def add(  # noqa: PLR0913 -- one argument for each option
    *,
    email: Email,
    role: Roles = None,
    name: Annotated[str, typer.Option(help="How people call him.")] = "",
    servers: Servers = None,
    service: Annotated[bool, typer.Option("--service", help="No person, but a program.")] = False,
    responsible: Responsible = None,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Add somebody to the database."""
    body: dict[str, Any] = {"email": email, "name": name, "roles": role or []}
    body["kind"] = "service" if service else "user"
    body["servers"] = names(servers)
    body |= {"expires": ending(until, lasting), "responsible": responsible or ""}
    _done(asked(lambda at: at.post("people", body=body), url, key), json=json)


def change(  # noqa: PLR0913 -- one argument for each option
    *,
    email: Email,
    role: Roles = None,
    no_roles: Annotated[bool, typer.Option("--no-roles", help="Take every role away.")] = False,
    name: Annotated[str | None, typer.Option(help="How people call him.")] = None,
    servers: Servers = None,
    all_servers: Annotated[
        bool, typer.Option("--all-servers", help="On every server that his roles open.")
    ] = False,
    responsible: Responsible = None,
    until: Until = None,
    lasting: For = None,
    forever: Annotated[bool, typer.Option("--forever", help="Access ends no more.")] = False,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Change somebody of the database; roles that are given replace those he has."""
    body: dict[str, Any] = {"name": name, "forever": forever, "expires": ending(until, lasting)}
    body["responsible"] = responsible
    body["roles"] = [] if no_roles else role or None
    if all_servers and servers is not None:
        misused("give --servers or --all-servers, not both")
    body["servers"] = [] if all_servers else names(servers) or None
    _done(asked(lambda at: at.patch("people", email, body=body), url, key), json=json)


def suspend(
    *,
    email: Email,
    reason: Reason = "",
    hand_to: HandTo = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """No more calls until somebody is reinstated; sessions and tokens end now."""
    _act(email, "suspend", {"reason": reason, "hand_to": hand_to}, (url, key), json=json)


def reinstate(*, email: Email, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Let somebody in again."""
    _act(email, "reinstate", {}, (url, key), json=json)


def relink(
    *,
    email: Email,
    provider: Annotated[str, typer.Option(help="At this one of the file; else at any.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Another account at an identity provider is his from his next sign-in on."""
    _act(email, "relink", {"provider": provider}, (url, key), json=json)


def offboard(
    *,
    email: Email,
    reason: Reason = "",
    hand_to: HandTo = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Everything that came of somebody's access ends now, for good."""
    _act(email, "offboard", {"reason": reason, "hand_to": hand_to}, (url, key), json=json)


def _act(
    email: str, word: str, body: dict[str, Any], where: tuple[str, str | None], *, json: bool
) -> None:
    _done(asked(lambda at: at.post("people", email, word, body=body), *where), json=json)


def _every(at: Api, state: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["email"] if found else ""
        page = at.get("people", state=state, after=after, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


def _done(found: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(found)
        return
    told = closed(found["closed"])
    more = f" Closed: {told}." if told else ""
    say(printable(f"{found['email']} is {found['state']}.{more}"))
    for each in found["service_accounts"]:
        now = each["responsible"]
        told = f"{now} answers for it now" if now else "suspended"
        say(printable(f"Service account {each['email']}: {told}."))


def closed(counts: Mapping[str, int]) -> str:
    """What ended with somebody's access: `1 key, 2 sessions`."""
    parts = []
    for name, count in counts.items():
        one, many = CLOSED.get(name, (name.removesuffix("s"), name))
        parts.append(f"{count} {one if count == 1 else many}")
    return ", ".join(parts)


def _row(found: dict[str, Any]) -> list[str | Text]:
    return [
        printable(found["email"]),
        Text(found["state"], COLOURS.get(found["state"], "dim")),
        ", ".join(found["active_roles"] or found["roles"]),
        f"only on {', '.join(found['servers'])}" if found["servers"] else "",
        f"until {shown(found['expires'])}" if found["expires"] else "",
        _answerer(found),
        "" if found["owner"] == "database" else f"of {found['owner']}",
    ]


def _answerer(found: dict[str, Any]) -> str:
    if found["responsible"] is None:
        return ""
    gone = ", who is not here" if found["orphaned"] else ""
    return f"service account of {found['responsible'] or 'nobody'}{gone}"


def names(text: str | None) -> list[str]:
    """Of a list with commas, or semicolons in a CSV."""
    parts = (text or "").replace(";", ",").split(",")
    return [each.strip() for each in parts if each.strip()]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
