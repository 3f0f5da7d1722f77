"""`torhaus tools`: what a server offers, and what each tool counts as."""

from typing import Annotated, Any

import typer
from rich.text import Text

from torhaus.cli.call import Key
from torhaus.cli.client import Client, GatewayError
from torhaus.cli.listing import Tool, listed
from torhaus.cli.output import columns, counted, misused, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, Reader, read_or_exit
from torhaus.model.servers import Server
from torhaus.policy.judged import Judged, judge


def tools(
    server: str,
    *,
    config: ConfigFile = DEFAULT,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask a running gateway what the key may see instead."),
    ] = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """List a server's tools, and what each counts as.

    Connects to the server itself, without a gateway: what a tool does, to what, and who says so.
    """
    if url is not None:
        _through(url, server, key, json=json)
        return
    judged = [
        judge(known, tool.name, tool.annotations or {}) for known, tool in _offered(config, server)
    ]
    if json:
        say_json({"server": server, "tools": judged})
        return
    heads = [Text(word, "dim") for word in ("tool", "does", "type", "by")]
    say(columns([heads, *(_row(each) for each in judged)]))


def _offered(config: ConfigFile, name: str) -> list[tuple[Server, Tool]]:
    rules = read_or_exit(Reader(path=config)).rules
    server = rules.servers.get(name)
    if server is None:
        names = ", ".join(rules.servers) or "none"
        misused(f"{config} has no server {name}; it has: {names}")
    found = listed([server])[0]
    if isinstance(found, str):
        refuse(f"{name} cannot be asked: {found}.")
    return [(server, tool) for tool in found]


def _row(judged: Judged) -> list[str | Text]:
    does = (
        " or ".join(judged.actions)
        if judged.argument or judged.dispatches
        else " and ".join(judged.actions)
    )
    by = judged.source
    if judged.argument is not None:
        by += f", argument {judged.argument}"
    if judged.dispatches:
        by += ", by the tool it runs"
    if judged.tags:
        by += f" ({', '.join(judged.tags)})"
    style = _STYLES.get(judged.actions, "yellow")
    return [judged.name, Text(does, style), judged.type or "-", by]


_STYLES: dict[tuple[str, ...], str] = {("read",): "green", ("unknown",): "red"}


def _through(url: str, server: str, key: str | None, *, json: bool) -> None:
    """What the gateway shows this key. How it judges tools stays its own business."""
    try:
        with Client(url, server, key or None) as client:
            found = client.tools()
    except GatewayError as error:
        refuse(str(error))
    if json:
        say_json({"server": server, "tools": found})
        return
    say(columns([[str(tool.get("name")), _about(tool)] for tool in found]))
    say(f"{counted(len(found), 'tool')} that this key may use on {server}.", "dim")


def _about(tool: dict[str, Any]) -> str:
    text = tool.get("title") or tool.get("description") or ""
    return str(text).strip().partition("\n")[0]
