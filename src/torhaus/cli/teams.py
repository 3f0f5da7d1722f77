"""`torhaus teams`: groups of people, and what they give."""

from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Api, Key, Url, asked
from torhaus.cli.output import columns, counted, misused, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.cli.users import Roles, Servers, names

Name = Annotated[str, typer.Argument(metavar="TEAM", help="Its name.")]
People = Annotated[list[str], typer.Argument(metavar="EMAIL...", help="Who.")]


def list_(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Groups of the file, teams of the database, and groups that identity providers push."""
    found = asked(lambda at: at.get("teams"), url, key)
    if json:
        say_json(found)
        return
    say(columns([_row(each) for each in found]) if found else "No teams that you may see.")


def show(*, name: Name, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """One of them, with who is in it."""
    _told(asked(lambda at: at.get("teams", name), url, key), json=json)


def create(  # noqa: PLR0913 -- one argument for each option
    *,
    name: Name,
    role: Roles = None,
    servers: Servers = None,
    member: Annotated[
        list[str] | None, typer.Option(metavar="EMAIL", help="Who is in it; again for more.")
    ] = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make a team in the database."""
    body = {"name": name, "roles": role or [], "servers": names(servers), "members": member or []}
    _told(asked(lambda at: at.post("teams", body=body), url, key), json=json)


def change(  # noqa: PLR0913 -- one argument for each option
    *,
    name: Name,
    role: Roles = None,
    no_roles: Annotated[bool, typer.Option("--no-roles", help="It gives no role.")] = False,
    servers: Servers = None,
    all_servers: Annotated[
        bool, typer.Option("--all-servers", help="Its roles count on every server they open.")
    ] = False,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Change what a team gives; roles that are given replace those it has."""
    if all_servers and servers is not None:
        misused("give --servers or --all-servers, not both")
    body: dict[str, Any] = {"roles": [] if no_roles else role or None}
    body["servers"] = [] if all_servers else names(servers) or None
    _told(asked(lambda at: at.patch("teams", name, body=body), url, key), json=json)


def add(
    *, name: Name, emails: People, url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Bring people in: all of them, or nobody."""
    body = {"members": emails}
    _told(asked(lambda at: at.post("teams", name, "members", body=body), url, key), json=json)


def remove(
    *, name: Name, emails: People, url: Url = LOCAL, key: Key = None, json: AsJson = False
) -> None:
    """Take people out, one after another."""
    _told(asked(lambda at: _out(at, name, emails), url, key), json=json)


def delete(*, name: Name, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Remove a team; what it gave ends."""
    found = asked(lambda at: at.delete("teams", name), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['name']} is no more; it had {counted(found['count'], 'member')}."))


def _out(at: Api, name: str, emails: list[str]) -> Any:
    return [at.delete("teams", name, "members", each) for each in emails][-1]


def _told(found: dict[str, Any], *, json: bool) -> None:
    if json:
        say_json(found)
        return
    rows = [("owner", found["owner"]), ("roles", ", ".join(found["roles"]) or "none")]
    rows += [("only on", ", ".join(found["servers"]))] if found["servers"] else []
    rows += [("groups", ", ".join(found["groups"]))] if found["groups"] else []
    say(printable(found["name"]), "bold")
    say(columns(rows, indent=2))
    members = [[each] for each in found["members"]]
    say(columns(members, indent=2) if members else "  Nobody is in it.")


def _row(found: dict[str, Any]) -> list[str | Text]:
    return [
        found["name"],
        counted(found["count"], "member"),
        ", ".join(found["roles"]) or "no role",
        f"only on {', '.join(found['servers'])}" if found["servers"] else "",
        "" if found["owner"] == "database" else f"of {found['owner']}",
    ]
