"""`torhaus tools`: what a server offers, and what each tool counts as."""

from typing import Any

import msgspec
import typer
from rich.text import Text
from typer.core import TyperGroup

from torhaus.cli.api import Api, Key, Running, gateway
from torhaus.cli.client import Client, GatewayError
from torhaus.cli.listing import Tool, listed
from torhaus.cli.output import columns, counted, misused, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, Reader, read_or_exit
from torhaus.gate.aggregate.names import LONGEST, too_long, tool_out
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.policy.judged import Judged, judge


class Tools(TyperGroup):
    """`torhaus tools SERVER` is `torhaus tools list SERVER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def tools(
    context: typer.Context,
    server: str,
    *,
    config: ConfigFile = DEFAULT,
    url: Running = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """List a server's tools, and what each counts as.

    Connects to the server itself, without a gateway: what a tool does, to what, and who says so.
    With --url, or TORHAUS_URL where no --config is typed, a running gateway is asked: an
    administrator's key shows how each stands with the pinned catalogue too; any other key shows
    what it may use.
    """
    url = gateway(context, url, "config")
    if url is not None:
        _through(url, server, key, json=json)
        return
    rules = read_or_exit(Reader(path=config)).rules
    known, offered = _offered(config, rules, server)
    judged = [judge(known, tool.name, tool.annotations or {}) for tool in offered]
    if json:
        say_json({"server": server, "tools": judged})
        return
    heads = [Text(word, "dim") for word in ("tool", "does", "type", "about", "by")]
    say(columns([heads, *(_row(each) for each in judged)]))
    _doubt_long(rules, server, [tool.name for tool in offered])


def _doubt_long(rules: Rules, server: str, tools: list[str]) -> None:
    """Name those that some models refuse at `/mcp`."""
    view, prefix = rules.views[""], rules.aggregate.prefix
    names = [tool_out(view, server, tool) for tool in tools]
    long = [name for name in names if too_long(name, prefix)]
    if long:
        are = "names are" if len(long) > 1 else "name is"
        after = f", with {prefix} before them" if prefix else ""
        say(
            f"\n{len(long)} {are} longer at /mcp than the {LONGEST} characters that all models take"
            f"{after}; give shorter ones under aggregate.aliases:"
        )
        say("\n".join(f"  {name}" for name in long))


def _offered(config: ConfigFile, rules: Rules, name: str) -> tuple[Server, list[Tool]]:
    server = rules.servers.get(name)
    if server is None:
        names = ", ".join(rules.servers) or "none"
        misused(f"{config} has no server {name}; it has: {names}")
    found = listed([server])[0]
    if isinstance(found, str):
        refuse(f"{name} cannot be asked: {found}.")
    return server, list(found)


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
    about = ", ".join(judged.targets) or "-"
    return [judged.name, Text(does, style), judged.type or "-", about, by]


_STYLES: dict[tuple[str, ...], str] = {("read",): "green", ("unknown",): "red"}


def _through(url: str, server: str, key: str | None, *, json: bool) -> None:
    """What the gateway shows this key: administrators all of it, others what they may use."""
    try:
        found = Api(url, key or None).get("servers", server, "tools")
    except GatewayError:
        _usable(url, server, key, json=json)
        return
    if json:
        say_json({"server": server, "tools": found})
        return
    heads = [Text(word, "dim") for word in ("tool", "standing", "does", "type", "about", "by")]
    say(columns([heads, *(_pinned(each) for each in found)]))
    waiting = sum(1 for each in found if each["offered"] is not None)
    if waiting:
        say(f"\n{counted(waiting, 'tool')} to look at: torhaus tools diff {server}")


def _pinned(found: dict[str, Any]) -> list[str | Text]:
    known = msgspec.convert(found, Judged)
    standing = Text(found["standing"], _STANDINGS.get(found["standing"], "red"))
    flags = sorted({each["code"] for each in found["findings"]})
    name, *rest, by = _row(known)
    return [name, standing, *rest, f"{by} ! {', '.join(flags)}" if flags else by]


_STANDINGS = {"accepted": "green", "listed": "dim", "gone": "dim", "new": "yellow"}


def _usable(url: str, server: str, key: str | None, *, json: bool) -> None:
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
