"""`torhaus secrets`: credentials for servers that the gateway keeps."""

import sys
from getpass import getpass
from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.output import columns, misused, printable, refuse, say, say_json
from torhaus.cli.reading import AsJson

KINDS = ("bearer", "header", "basic")

Server = Annotated[str, typer.Argument(help="The server's name.")]


def list_(
    *,
    server: Annotated[str | None, typer.Argument(help="Only of this server.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """What is kept, and how old it is. Secrets are never shown."""
    found = asked(lambda at: at.get("credentials", server=server), url, key)
    if json:
        say_json(found)
        return
    if not found:
        say("Nothing is kept.")
        return
    head = ("server", "for", "kind", "state", "version", "age", "")
    say(columns([[Text(name, "dim") for name in head], *(_row(each) for each in found)]))


def put(
    *,
    server: Server,
    kind: Annotated[str, typer.Option(help=f"{', '.join(KINDS)}.")] = "bearer",
    name: Annotated[
        str, typer.Option(help="For basic: the user's name; for header: the field's.")
    ] = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Keep a server's first credential; the secret is asked for, or read from standard input."""
    if kind not in KINDS:
        misused(f"--kind is one of {', '.join(KINDS)}")
    body = {"kind": kind, "secret": _secret(), "username" if kind == "basic" else "name": name}
    _tell(asked(lambda at: at.post("credentials", server, body=body), url, key), "kept", json=json)


def rotate(
    *,
    server: Server,
    username: Annotated[str | None, typer.Option(help="For basic; without it, as before.")] = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Put another credential in its place; the former one stands in while the new is refused."""
    body = {"secret": _secret(), "username": username}
    found = asked(lambda at: at.post("credentials", server, "rotate", body=body), url, key)
    _tell(found, "rotated", json=json)


def rollback(*, server: Server, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Use the former credential again."""
    found = asked(lambda at: at.post("credentials", server, "rollback"), url, key)
    _tell(found, "rolled back", json=json)


def remove(
    *,
    server: Server,
    user: Annotated[str, typer.Option(help="Only this person's connection.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Forget a server's credential, or one person's connection to it."""
    query = {"user": user} if user else None
    found = asked(lambda at: at.delete("credentials", server, query=query), url, key)
    if json:
        say_json(found)
        return
    whose = f" of {printable(user)}" if user else ""
    say(f"{printable(server)}: the credential{whose} is gone.")


def rekey(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Seal everything under a new key. With TORHAUS_KEYS: under its first one."""
    found = asked(lambda at: at.post("credentials", "rekey"), url, key, patience=600.0)
    if json:
        say_json(found)
        return
    say(f"{found['wrapped']} sealed anew under the key {found['key']}.")
    if found["unused"]:
        say(f"Nothing needs these keys any more: {', '.join(found['unused'])}.")
    if found["lost"]:
        refuse(f"these did not open, store them again: {', '.join(found['lost'])}")


def _secret() -> str:
    """Never an argument: other users of the machine can see those."""
    if sys.stdin.isatty():
        return getpass("Secret: ")
    return sys.stdin.readline().rstrip("\r\n")


def _tell(found: dict[str, Any], done: str, *, json: bool) -> None:
    if json:
        say_json(found)
        return
    say(f"{printable(found['server'])}: {done}, version {found['version']} ({found['kind']}).")


def _row(found: dict[str, Any]) -> list[str | Text]:
    days = found["age_days"]
    return [
        found["server"],
        found["user"] or "everybody",
        found["kind"],
        found["state"],
        str(found["version"]),
        f"{days} day" if days == 1 else f"{days} days",
        found["trouble"] or (f"rotate by {by[:10]}" if (by := found["rotate_by"]) else ""),
    ]
