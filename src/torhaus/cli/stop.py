"""`torhaus stop`: the kill switch."""

from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import ending, shown
from torhaus.cli.output import columns, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.cli.users import For, Until

Id = Annotated[str, typer.Argument(help="The stop's id.")]
Reason = Annotated[str, typer.Option(help="Those who are refused are told.")]


def list_(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """What is stopped, and was."""
    found = asked(lambda at: at.get("stops"), url, key)
    if json:
        say_json(found)
        return
    say(columns([_row(each) for each in found]) if found else "Nothing is stopped.")


def user(  # noqa: PLR0913 -- one argument for each option
    *,
    email: Annotated[str, typer.Argument(help="The address.")],
    reason: Reason,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Stop a person: no credential of his is let in."""
    _stop("user", email, (reason, ending(until, lasting)), (url, key), json=json)


def key_(  # noqa: PLR0913 -- one argument for each option
    *,
    id: Annotated[str, typer.Argument(help="The key's id.")],
    reason: Reason,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Stop one key, of the database or of the file."""
    _stop("key", id, (reason, ending(until, lasting)), (url, key), json=json)


def server(  # noqa: PLR0913 -- one argument for each option
    *,
    name: Annotated[str, typer.Argument(help="The server.")],
    reason: Reason,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Stop a server: nobody calls it."""
    _stop("server", name, (reason, ending(until, lasting)), (url, key), json=json)


def tool(  # noqa: PLR0913 -- one argument for each option
    *,
    name: Annotated[str, typer.Argument(metavar="SERVER/TOOL", help="The tool.")],
    reason: Reason,
    until: Until = None,
    lasting: For = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Stop one tool of a server."""
    _stop("tool", name, (reason, ending(until, lasting)), (url, key), json=json)


def lift(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Release what is stopped."""
    found = asked(lambda at: at.delete("stops", id), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['target']} is released."))


def _stop(
    kind: str,
    target: str,
    why: tuple[str, str | None],
    where: tuple[str, str | None],
    *,
    json: bool,
) -> None:
    body = {"kind": kind, "target": target, "reason": why[0], "expires": why[1]}
    found: dict[str, Any] = asked(lambda at: at.post("stops", body=body), *where)
    if json:
        say_json(found)
        return
    until = f" until {shown(found['expires'])}" if found["expires"] else ""
    say(printable(f"{found['target']} is stopped{until}: {found['id']}."))


def _row(found: dict[str, Any]) -> list[str | Text]:
    state = Text("stopped", "red") if found["in_force"] else Text("over", "dim")
    return [
        found["id"],
        state,
        found["kind"],
        printable(found["target"]),
        f"until {shown(found['expires'])}" if found["expires"] else "",
        printable(f"{found['created_by']}: {found['reason']}"),
    ]
