"""`torhaus keys`: keys, browser sessions, and clients that were let in."""

from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import ending, shown
from torhaus.cli.output import columns, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.cli.users import For, Until

Id = Annotated[str, typer.Argument(help="Its id.")]
Person = Annotated[str, typer.Option(metavar="EMAIL", help="Whose; yours without it.")]


def list_(
    *,
    person: Annotated[
        str, typer.Option(metavar="EMAIL", help="Whose; yours without it, everybody's with '*'.")
    ] = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Keys of the database; those of the file stand in the file."""
    found = asked(lambda at: at.get("keys", person=person, limit=200), url, key)
    if json:
        say_json(found)
        return
    say(columns([_key(each) for each in found]) if found else "No keys in the database.")


def mint(  # noqa: PLR0913 -- one argument for each option
    *,
    label: Annotated[str, typer.Option(help="What people know it by.")],
    person: Person = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission it is held to, as github:read; again for more."),
    ] = None,
    server: Annotated[str | None, typer.Option(help="The one server it is for.")] = None,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make a key. It is printed once, and kept nowhere."""
    body: dict[str, Any] = {"label": label, "person": person, "scopes": scope or []}
    body |= {"server": server, "expires": ending(until, lasting)}
    found = asked(lambda at: at.post("keys", body=body), url, key)
    if json:
        say_json(found)
        return
    say(found["key"])
    say(printable(f"Key {found['id']} of {found['person']}. It is not shown again."), "dim")


def revoke(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """End a key, or an access token, now."""
    found = asked(lambda at: at.delete("keys", id), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"Key {found['id']} of {found['person']} has ended."))


def sessions(
    *, person: Person = "", url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Open browser sessions, and clients that were let in."""
    found = asked(lambda at: at.get("sessions", person=person, limit=200), url, key)
    if json:
        say_json(found)
        return
    say(columns([_session(each) for each in found]) if found else "No sessions.")


def end(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """End a session, or what a client was let in for, with every token that came of it."""
    found = asked(lambda at: at.delete("sessions", id), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['label'] or found['id']} of {found['person']} has ended."))


def _key(found: dict[str, Any]) -> list[str | Text]:
    state = Text("ended", "red") if found["ended"] else Text("in use", "green")
    return [
        found["id"],
        state,
        printable(found["person"]),
        printable(found["label"]),
        ", ".join(found["scopes"]) or "everything",
        found["server"] or "",
        f"until {shown(found['expires'])}" if found["expires"] else "",
        f"used {shown(found['used'])}" if found["used"] else "",
    ]


def _session(found: dict[str, Any]) -> list[str | Text]:
    return [
        found["id"],
        found["kind"],
        printable(found["person"]),
        printable(found["label"] or found["client"] or ""),
        f"used {shown(found['used'])}",
        f"until {shown(found['expires'])}",
    ]
