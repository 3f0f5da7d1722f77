"""`torhaus cache`: answers that the gateway keeps."""

from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import shown
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson

LONGEST = 80
"""Characters of arguments in a table; `--json` has all."""

Server = Annotated[str, typer.Argument(help="The server's name.")]


def list_(
    *,
    server: Server,
    tool: Annotated[str | None, typer.Option(help="Only answers of this tool.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Answers of one server that are kept and fresh, the newest first; for its administrators."""
    found = asked(lambda at: at.get("cache", server, tool=tool, limit=limit), url, key)
    if json:
        say_json(found)
        return
    if not found:
        say("Nothing is kept.")
        return
    head = ("answer", "bytes", "until (UTC)", "for", "arguments")
    say(columns([[Text(name, "dim") for name in head], *(_row(each) for each in found)]))


def stats(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """What the gateway's cache holds and has done since its start."""
    found = asked(lambda at: at.get("cache"), url, key)
    if json:
        say_json(found)
        return
    looked = found["hits"] + found["misses"]
    share = f" ({found['hits'] / looked:.1%} of lookups)" if looked else ""
    rows = [
        ("kept", f"{found['entries']} answers, {_size(found['bytes'])}"),
        ("hits", f"{found['hits']}{share}"),
        ("misses", str(found["misses"])),
        ("evicted", f"{found['evicted']} for room"),
        ("forgotten", f"{found['dropped']} by writes, purges and reloads"),
        ("not kept", f"{found['refused']} that were forgotten while they were fetched"),
    ]
    say(columns([[Text(name, "dim"), value] for name, value in rows]))


def purge(
    *,
    server: Server,
    tool: Annotated[str | None, typer.Argument(help="One of its tools; all without it.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="ARG=VALUE", help="Only of calls with this argument; repeatable."),
    ] = None,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Forget what is kept of a server or tool; for its administrators."""
    pairs = _pairs(where or [])
    path = ("cache", server) if tool is None else ("cache", server, tool)
    found = asked(lambda at: at.delete(*path, query=pairs), url, key)
    if json:
        say_json(found)
        return
    number = found["dropped"]
    what = server if tool is None else f"{server}.{tool}"
    say(f"{printable(what)}: {number} {'answer' if number == 1 else 'answers'} forgotten.")


def _pairs(where: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in where:
        name, found, value = text.partition("=")
        if not found or not name:
            misused("--where is ARGUMENT=VALUE, such as --where repo=myorg/myrepo")
        if name in pairs:
            misused(f"--where names {name} twice: an answer has one value for it")
        pairs[name] = value
    return pairs


def _row(found: dict[str, Any]) -> list[str | Text]:
    arguments = found["arguments"] or "(too long to be kept)"
    if len(arguments) > LONGEST:
        arguments = arguments[: LONGEST - 1] + "…"
    return [
        found["key"],
        str(found["bytes"]),
        shown(found["expires"]),
        found["owner"] or "everybody",
        arguments,
    ]


def _size(number: int) -> str:
    if number < 1024:
        return f"{number} bytes"
    return f"{number / 1024:.1f} KiB" if number < 1 << 20 else f"{number / (1 << 20):.1f} MiB"
